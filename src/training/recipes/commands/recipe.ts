/** acom train commands: the recogniser of spoken commands, from recordings to a codec model and its scores. */
import { join } from 'node:path';
import type { CodecConfig } from '../../../codec/index.js';
import { createRandom } from '../../../tensor/index.js';
import { writeWhole } from '../../data/files.js';
import { type CodingOptions, quantizerConfig } from '../coding.js';
import { reportSkipped } from '../datasets.js';
import { type StoredStatistics, statisticsOf } from '../features.js';
import { evaluateSet, evaluationLines, type TestSet, writeTestSet } from '../finish.js';
import { type CodecPart, trainPart } from '../part.js';
import type { Recipe, RecipeOptions } from '../recipe.js';
import { voicesFolder } from '../voices.js';
import { loadMaterial } from './material.js';
import { FRONT_END, GROUPS, LABELS, NETWORK } from './settings.js';
import { type Spoken, Utterances } from './utterances.js';
import type { CommandsOptions } from './workload.js';

const WORKLOAD = new URL('./workload.js', import.meta.url);
/** Takes of each word by each synthetic voice. */
const TAKES = 3;
/** How often each source is drawn from where all have a word. */
const SHARES = { crowd: 0.5, digits: 0.25, voices: 0.25 } as const;
/** Utterances that the statistics of features are of, and recordings of some that codewords are counted on. */
const STATISTICS_UTTERANCES = 400;
const COUNTED_RECORDINGS = 5000;

/**
 * 3.125 vectors a second of up to 8 bits: 25 bit/s for each codebook. Four steps to a vector and half as
 * many codebooks made more validation errors at 50 and at 100 bit/s after as many steps, at half the learning rate.
 */
const CODING: CodingOptions = {
  splitLayer: 3,
  pooling: 8,
  pooledBy: 'learned',
  codebooks: 4,
  codewords: 256,
  commitment: 0.25,
  rate: 0,
  use: 0,
  continuous: 0.2,
};

const TRAINING_DATA = [
  'Free Spoken Digit Dataset (Jakobovski et al., CC BY-SA 4.0)',
  'Google Speech Commands (Warden 2018, arXiv 1804.03209, CC BY 4.0)',
  'espeak-ng and flite voices',
];

const configOf = (coding: CodingOptions): CodecConfig => ({
  name: 'commands',
  task: 'recognition',
  labels: LABELS,
  frontEnd: FRONT_END,
  network: NETWORK,
  splitLayer: coding.splitLayer,
  quantizer: quantizerConfig(coding, NETWORK.encoder.width, Math.min(2, coding.codebooks)),
  licence: 'CC BY-SA 4.0',
  trainingData: TRAINING_DATA,
});

const testSetOf = (name: string, spoken: readonly Spoken[]): TestSet => ({
  name,
  sampleRate: FRONT_END.sampleRate,
  recordings: spoken.map(({ samples, labels }) => ({
    samples,
    said: labels.map((label) => LABELS[label]!).join(' '),
  })),
});

export async function commandsParts(options: RecipeOptions): Promise<[CodecPart<CommandsOptions>]> {
  const { data, steps, report } = options;
  /** A trial of few steps need not wait for what makes numbers exact. */
  const most = (count: number): number => (steps === undefined ? count : Math.min(count, 64));
  const voices = await voicesFolder(options, TAKES);
  const material = await loadMaterial(data, voices);
  reportSkipped(material.loaded.problems, options);
  report({
    kind: 'note',
    text:
      `${material.training.length} words to train on, ${material.loaded.problems.length} skipped; test: ` +
      `${material.test.unseen.length} of unseen speakers, ${material.test.known.length} of known ones`,
  });
  const utterances = new Utterances(material, SHARES);
  const draw = (count: number, seed: number): Float32Array[] => {
    const random = createRandom(seed);
    return Array.from({ length: count }, () => utterances.training(utterances.draw(random), random).samples);
  };
  const statistics: StoredStatistics = statisticsOf(FRONT_END, draw(most(STATISTICS_UTTERANCES), 1));
  const base = { data, voices, statistics, batch: 16, batchesPerEpoch: 250, dropout: 0.1, shares: SHARES };
  const part: CodecPart<CommandsOptions> = {
    name: 'commands',
    folder: '',
    phases: {
      module: WORKLOAD,
      options: base,
      coding: CODING,
      optimizer: { decay: 0.02, beta2: 0.98 },
      continuous: {
        steps: 11_000,
        schedule: { kind: 'cosine', rate: 2e-3, warmup: 400 },
        averaging: 0.998,
        validateEvery: 1000,
        checkpointEvery: 250,
      },
      coded: {
        steps: 7000,
        schedule: { kind: 'cosine', rate: 1.2e-3, warmup: 100 },
        averaging: 0.997,
        validateEvery: 1000,
        checkpointEvery: 250,
      },
      firstBatches: most(60),
    },
    statistics,
    stepWidth: () => NETWORK.encoder.width,
    config: configOf,
    *counted() {
      const random = createRandom(2);
      for (let n = most(COUNTED_RECORDINGS); n > 0; n--) yield utterances.inARow(random);
    },
    validation: testSetOf(
      'validation',
      GROUPS.flatMap((group) => utterances.test(material.validation[group], 1)),
    ),
    tests: GROUPS.map((group) => ({
      about: `${group} speakers`,
      set: testSetOf(`test-${group}`, utterances.test(material.test[group], 2)),
    })),
  };
  return [part];
}

async function run(options: RecipeOptions) {
  const { out } = options;
  const [part] = await commandsParts(options);
  const model = await trainPart(part, options);
  if (model === null) return { aborted: true, lines: [] };
  const file = join(out, 'commands.safetensors');
  await writeWhole(file, model);
  const lines = [`wrote ${file}`];
  for (const { about, set } of part.tests) {
    const manifest = await writeTestSet(out, set, 'transcript');
    lines.push(...evaluationLines(`${about} (${manifest})`, await evaluateSet(model, set)));
  }
  return { aborted: false, lines };
}

export const commandsRecipe: Recipe = {
  name: 'commands',
  summary: 'a recogniser of 20 spoken words in connected speech, telephone band',
  run,
};
