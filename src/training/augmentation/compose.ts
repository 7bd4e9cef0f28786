/** Single words joined into an utterance. */
import { concatenate, UsageError } from '../../tensor/index.js';
import { activePart, activePower, gain, SILENCE_BELOW, scaled } from './level.js';
import { addNoise, cutNoise, pinkNoise } from './noise.js';
import { type Random, type Range, uniform } from './random.js';

/** A recording of one word. */
export interface SpokenWord {
  readonly samples: Float32Array;
  readonly word: string;
}

/** Each range is drawn from for every gap, word or utterance. */
export interface UtteranceOptions {
  readonly sampleRate: number;
  /** Seconds between two words; less than 0: they overlap. Default 0 to 0.3. */
  readonly gapSeconds?: Range;
  /** Seconds before the first word and after the last. Default 0.05 to 0.4. */
  readonly edgeSeconds?: Range;
  /** Level of a word over that of the utterance. Default -3 to 3. */
  readonly wordDecibels?: Range;
  /** Mean power of the words where they speak, over full scale. Default -35 to -15. */
  readonly levelDecibels?: Range;
  /** Power of the words over that of the noise floor. Default 20 to 50. */
  readonly floorDecibels?: Range;
  /** Recorded noise for the floor; pink noise where it is left out. */
  readonly floor?: Float32Array;
  /** How far under a word's loudest part its ends count as silence, which is cut off. Default 35. */
  readonly trimDecibels?: number;
}

export interface Utterance {
  readonly samples: Float32Array<ArrayBuffer>;
  readonly words: readonly string[];
  /** First sample of each word, and the one after its last. */
  readonly boundaries: readonly { readonly begin: number; readonly end: number }[];
}

/** Sound that stays before and after a word, and fades there: no clicks. */
const MARGIN_SECONDS = 0.015;

/** A word without the silence around it. */
export function trimmed(
  samples: Float32Array,
  sampleRate: number,
  below = SILENCE_BELOW,
): Float32Array<ArrayBuffer> {
  const margin = Math.round(MARGIN_SECONDS * sampleRate);
  const [begin, end] = activePart(samples, sampleRate, below);
  const out = samples.slice(Math.max(0, begin - margin), end + margin) as Float32Array<ArrayBuffer>;
  const fade = Math.min(margin, out.length >> 1);
  for (let n = 0; n < fade; n++) {
    const factor = (n + 0.5) / fade;
    out[n]! *= factor;
    out[out.length - 1 - n]! *= factor;
  }
  return out;
}

/**
 * Joins words: each trimmed and brought to a common level, with gaps between and a noise floor under all of them. The
 * result is the same for the same words, options and random numbers. Throws UsageError where there are no words.
 */
export function composeUtterance(
  spoken: readonly SpokenWord[],
  random: Random,
  options: UtteranceOptions,
): Utterance {
  const { sampleRate, gapSeconds = [0, 0.3], edgeSeconds = [0.05, 0.4], trimDecibels } = options;
  const { wordDecibels = [-3, 3], levelDecibels = [-35, -15], floorDecibels = [20, 50] } = options;
  if (spoken.length === 0) throw new UsageError('composeUtterance: there are no words to join');
  const seconds = (range: Range) => Math.round(uniform(random, range) * sampleRate);
  const level = uniform(random, levelDecibels);
  let at = Math.max(0, seconds(edgeSeconds));
  const placed = spoken.map(({ samples }, i) => {
    const word = trimmed(samples, sampleRate, trimDecibels);
    const power = activePower(word, sampleRate);
    const wanted = level + uniform(random, wordDecibels);
    const begin = i === 0 ? at : Math.max(0, at + seconds(gapSeconds));
    at = Math.max(at, begin + word.length);
    return { begin, samples: gain(power === 0 ? word : scaled(word, 1 / Math.sqrt(power)), wanted) };
  });
  const joined = new Float32Array(at + Math.max(0, seconds(edgeSeconds)));
  for (const { begin, samples } of placed) {
    for (let n = 0; n < samples.length; n++) joined[begin + n]! += samples[n]!;
  }
  const floor =
    options.floor === undefined
      ? pinkNoise(joined.length, sampleRate, random)
      : cutNoise(options.floor, joined.length, random);
  const power = activePower(concatenate(placed.map(({ samples }) => samples)), sampleRate);
  return {
    samples: addNoise(joined, floor, uniform(random, floorDecibels), power),
    words: spoken.map(({ word }) => word),
    boundaries: placed.map(({ begin, samples }) => ({ begin, end: begin + samples.length })),
  };
}
