/** What happens to speech on its way from a mouth to a file: voice, room, noise, device, each with a chance. */

import { clip, muLaw } from './distortion.js';
import { bandLimit, deviceColour, spectralTilt } from './filters.js';
import { shiftFormants } from './formants.js';
import { activePower, gain } from './level.js';
import { addNoise, cutNoise, pinkNoise, whiteNoise } from './noise.js';
import { choose, type Random, type Range, uniform } from './random.js';
import { drawRoom, reverberate, roomResponse } from './reverb.js';
import { changeSpeed } from './speed.js';
import { changePitch, changeTempo } from './stretch.js';

/** How often something is done, 0 to 1, and within which bounds. */
export interface Chance {
  readonly chance: number;
  readonly range: Range;
}

export interface SpeechAugmentation {
  /** Pitch, formants and tempo together: factors. */
  readonly speed?: Chance;
  readonly tempo?: Chance;
  readonly pitch?: Chance;
  readonly formants?: Chance;
  /** A random room. */
  readonly room?: { readonly chance: number };
  /** Signal-to-noise ratio in decibels, where speech is. */
  readonly noise?: Chance;
  /** Decibels an octave. */
  readonly tilt?: Chance;
  /** A random device's response: decibels at most. */
  readonly device?: Chance;
  /** A narrower band: its upper limit in hertz. The lower one is drawn from 60 to 400 Hz. */
  readonly band?: Chance;
  /** Peaks are cut off at this part of the largest. */
  readonly clipping?: Chance;
  /** Mu-law with 256 levels. */
  readonly muLaw?: { readonly chance: number };
  /** Decibels. */
  readonly gain?: Chance;
}

/** Strong augmentation, for speakers and devices that training does not have. */
export const STRONG: SpeechAugmentation = {
  speed: { chance: 0.6, range: [0.85, 1.2] },
  tempo: { chance: 0.25, range: [0.8, 1.25] },
  pitch: { chance: 0.25, range: [0.8, 1.3] },
  formants: { chance: 0.4, range: [0.85, 1.2] },
  room: { chance: 0.35 },
  noise: { chance: 0.6, range: [5, 30] },
  tilt: { chance: 0.4, range: [-4, 4] },
  device: { chance: 0.4, range: [2, 8] },
  band: { chance: 0.2, range: [2800, 3900] },
  clipping: { chance: 0.05, range: [0.3, 0.8] },
  muLaw: { chance: 0.1 },
  gain: { chance: 1, range: [-10, 6] },
};

const LOWER_LIMIT: Range = [60, 400];

/**
 * Augments speech. `noises` are recordings at the same rate; of all noise that is added half is white or pink, all of it
 * where there are none. The same numbers of `random` give the same samples.
 */
export function augmentSpeech(
  samples: Float32Array,
  sampleRate: number,
  random: Random,
  settings: SpeechAugmentation,
  noises: readonly Float32Array[] = [],
): Float32Array {
  let x = samples;
  /** Calls `work` with a number from the range, as often as `chance` says. */
  const maybe = (step: Chance | undefined, work: (value: number) => Float32Array): void => {
    if (step !== undefined && random() < step.chance) x = work(uniform(random, step.range));
  };
  const sometimes = (step: { readonly chance: number } | undefined, work: () => Float32Array): void => {
    if (step !== undefined && random() < step.chance) x = work();
  };
  maybe(settings.speed, (factor) => changeSpeed(x, factor));
  maybe(settings.tempo, (factor) => changeTempo(x, sampleRate, factor));
  maybe(settings.pitch, (factor) => changePitch(x, sampleRate, factor));
  maybe(settings.formants, (factor) => shiftFormants(x, sampleRate, factor));
  sometimes(settings.room, () => reverberate(x, roomResponse(drawRoom(random), sampleRate, random)));
  maybe(settings.noise, (snr) => {
    const made = noises.length === 0 || random() < 0.5;
    const noise = made
      ? random() < 0.5
        ? whiteNoise(x.length, random)
        : pinkNoise(x.length, sampleRate, random)
      : cutNoise(choose(random, noises), x.length, random);
    return addNoise(x, noise, snr, activePower(x, sampleRate));
  });
  maybe(settings.tilt, (slope) => spectralTilt(x, sampleRate, slope));
  maybe(settings.device, (most) => deviceColour(x, sampleRate, random, { most }));
  maybe(settings.band, (high) => bandLimit(x, sampleRate, [uniform(random, LOWER_LIMIT), high]));
  maybe(settings.clipping, (part) => {
    const largest = x.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    return largest === 0 ? x : clip(x, part * largest);
  });
  sometimes(settings.muLaw, () => muLaw(x));
  maybe(settings.gain, (decibels) => gain(x, decibels));
  return x;
}
