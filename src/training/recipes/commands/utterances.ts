/** Utterances from single words: drawn and augmented for training, fixed for validation. */
import { concatenate, createRandom } from '../../../tensor/index.js';
import {
  augmentSpeech,
  choose,
  composeUtterance,
  integer,
  type Random,
  type Range,
  type SpeechAugmentation,
  shuffled,
} from '../../augmentation/index.js';
import type { Material, Source, Take } from './material.js';
import { COMMANDS, FRONT_END } from './settings.js';

/** What each word goes through by itself, as if another speaker had said it. */
const VOICE: SpeechAugmentation = {
  speed: { chance: 0.7, range: [0.85, 1.18] },
  formants: { chance: 0.2, range: [0.9, 1.12] },
};

/** What an utterance goes through: room, noise, device. */
const CHANNEL: SpeechAugmentation = {
  room: { chance: 0.25 },
  noise: { chance: 0.5, range: [6, 35] },
  tilt: { chance: 0.35, range: [-4, 4] },
  device: { chance: 0.3, range: [2, 7] },
  band: { chance: 0.1, range: [2800, 3900] },
  clipping: { chance: 0.05, range: [0.3, 0.8] },
  muLaw: { chance: 0.1 },
  gain: { chance: 1, range: [-10, 6] },
};

/** Words of an utterance in training, and seconds between them; some gaps are long, so that silence is learned. */
const WORDS: Range = [1, 4];
const GAPS: Range = [0.02, 0.55];

/** Words of an utterance that is to be recognised. */
const TEST_WORDS: Range = [1, 4];

/** Utterances of a recording that codewords are counted on. */
const IN_A_ROW: Range = [1, 6];

export interface Spoken {
  readonly samples: Float32Array;
  /** Classes, word by word. */
  readonly labels: readonly number[];
}

export class Utterances {
  /** Numbers of training takes by source and label. */
  private readonly bySource = new Map<Source, Map<number, number[]>>();

  constructor(
    private readonly material: Material,
    private readonly shares: Readonly<Record<Source, number>>,
  ) {
    material.training.forEach(({ source, label }, number) => {
      const byLabel = this.bySource.get(source) ?? new Map<number, number[]>();
      this.bySource.set(source, byLabel);
      const numbers = byLabel.get(label) ?? [];
      byLabel.set(label, numbers);
      numbers.push(number);
    });
  }

  /** The number of a training take: all words alike, the sources of each by their shares. */
  draw(random: Random): number {
    const label = integer(random, [1, COMMANDS.length]);
    const sources = [...this.bySource].filter(([, byLabel]) => byLabel.has(label));
    const total = sources.reduce((sum, [source]) => sum + this.shares[source], 0);
    let left = random() * total;
    const drawn = sources.find(([source]) => {
      left -= this.shares[source];
      return left < 0;
    });
    return choose(random, (drawn ?? sources.at(-1)!)[1].get(label)!);
  }

  /** An utterance that has training take `number` in it. */
  training(number: number, random: Random): Spoken {
    const numbers = Array.from({ length: integer(random, WORDS) - 1 }, () => this.draw(random));
    numbers.splice(integer(random, [0, numbers.length]), 0, number);
    const takes = numbers.map((each) => this.material.training[each]!);
    const words = takes.map((take) => ({
      samples: augmentSpeech(this.samplesOf(take), FRONT_END.sampleRate, random, VOICE),
      word: COMMANDS[take.label - 1]!,
    }));
    const { samples } = composeUtterance(words, random, {
      sampleRate: FRONT_END.sampleRate,
      gapSeconds: GAPS,
      trimDecibels: 30,
    });
    const noises = this.material.noises.length > 0 ? [this.noise(random)] : [];
    return {
      samples: augmentSpeech(samples, FRONT_END.sampleRate, random, CHANNEL, noises),
      labels: takes.map(({ label }) => label),
    };
  }

  /**
   * Utterances in a row, by which it is learned how codewords are coded: every other recording is like those of training, every
   * other one like those of tests, which nothing was done to.
   */
  inARow(random: Random): Float32Array {
    const isClean = random() < 0.5;
    const count = integer(random, IN_A_ROW);
    const spoken = Array.from({ length: count }, () => {
      const number = this.draw(random);
      return isClean ? this.clean(number, random) : this.training(number, random);
    });
    return concatenate(spoken.map(({ samples }) => samples));
  }

  /** An utterance that has training take `number` in it, as `test` makes them. */
  private clean(number: number, random: Random): Spoken {
    const numbers = Array.from({ length: integer(random, TEST_WORDS) }, (_, n) =>
      n === 0 ? number : this.draw(random),
    );
    return this.composed(
      numbers.map((each) => this.material.training[each]!),
      random,
    );
  }

  private noise(random: Random): Float32Array {
    return this.material.loaded.samples(choose(random, this.material.noises));
  }

  private samplesOf({ clip }: Take): Float32Array {
    return this.material.loaded.samples(clip);
  }

  /** All takes in utterances, each once; the same for the same takes and seed. */
  test(takes: readonly Take[], seed: number): Spoken[] {
    const random = createRandom(seed);
    const left = shuffled(random, takes);
    const spoken: Spoken[] = [];
    while (left.length > 0) {
      spoken.push(this.composed(left.splice(0, integer(random, TEST_WORDS)), random));
    }
    return spoken;
  }

  /** Takes one after another over a noise floor, else as they were recorded. */
  private composed(takes: readonly Take[], random: Random): Spoken {
    const { samples } = composeUtterance(
      takes.map((take) => ({ samples: this.samplesOf(take), word: COMMANDS[take.label - 1]! })),
      random,
      { sampleRate: FRONT_END.sampleRate, gapSeconds: [0.05, 0.4], floorDecibels: [20, 35] },
    );
    return { samples, labels: takes.map(({ label }) => label) };
  }
}
