/** acom train commands: the recogniser of spoken commands, from recordings to a codec model and its scores. */
import { join } from 'node:path';
import type { FrontEndConfig } from '../../../audio/log-mel.js';
import { type CodecConfig, openModel } from '../../../codec/index.js';
import type { ConformerCtcConfig } from '../../../nn/index.js';
import { createRandom, type Tensor, view } from '../../../tensor/index.js';
import { writeWhole } from '../../data/files.js';
import { type CodingOptions, quantizerConfig } from '../coding.js';
import { reportSkipped } from '../datasets.js';
import { type StoredStatistics, statisticsOf } from '../features.js';
import { evaluateSet, evaluationLines, type TestSet, writeTestSet } from '../finish.js';
import { type CodecPart, trainPart } from '../part.js';
import type { PhaseSettings } from '../phases.js';
import type { Recipe, RecipeOptions } from '../recipe.js';
import { voicesFolder } from '../voices.js';
import { loadMaterial } from './material.js';
import { FRONT_END, GROUPS, LABELS, LIVE_FRONT_END, LIVE_NETWORK, NETWORK } from './settings.js';
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

/** A recogniser of these commands: what it is made of, and what its training has of its own. */
interface Recogniser {
  readonly name: string;
  readonly frontEnd: FrontEndConfig;
  readonly network: ConformerCtcConfig;
  readonly coding: CodingOptions;
  readonly continuous: PhaseSettings;
  readonly coded: PhaseSettings;
  /** The model whose network the continuous phase begins with; null: with random numbers. */
  readonly begin: URL | null;
}

const WHOLE: Recogniser = {
  name: 'commands',
  frontEnd: FRONT_END,
  network: NETWORK,
  coding: CODING,
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
  begin: null,
};

/** Goes on from the recogniser of whole recordings, which it becomes in few steps. */
const LIVE: Recogniser = {
  name: 'commands-live',
  frontEnd: LIVE_FRONT_END,
  network: LIVE_NETWORK,
  coding: { ...CODING, commitment: 1 },
  continuous: {
    ...WHOLE.continuous,
    steps: 4000,
    schedule: { kind: 'cosine', rate: 1e-3, warmup: 200 },
  },
  coded: { ...WHOLE.coded, steps: 6000 },
  begin: new URL('../../../../../weights/commands.safetensors', import.meta.url),
};

const configOf = ({ name, frontEnd, network }: Recogniser, coding: CodingOptions): CodecConfig => ({
  name,
  task: 'recognition',
  labels: LABELS,
  frontEnd,
  network,
  splitLayer: coding.splitLayer,
  quantizer: quantizerConfig(coding, network.encoder.width, Math.min(2, coding.codebooks)),
  licence: 'CC BY-SA 4.0',
  trainingData: TRAINING_DATA,
});

/** The network of a model file. */
async function networkOf(file: URL): Promise<ReadonlyMap<string, Tensor>> {
  const model = await openModel(file);
  const tensors = new Map<string, Tensor>();
  for (const role of ['device', 'cloud'] as const) {
    for (const [name, { data, shape }] of await model.tensors(role)) {
      if (data instanceof Float32Array) tensors.set(name, view(data, [...shape]));
    }
  }
  return tensors;
}

const testSetOf = (name: string, spoken: readonly Spoken[]): TestSet => ({
  name,
  sampleRate: FRONT_END.sampleRate,
  recordings: spoken.map(({ samples, labels }) => ({
    samples,
    said: labels.map((label) => LABELS[label]!).join(' '),
  })),
});

export async function commandsParts(
  options: RecipeOptions,
  recogniser: Recogniser = WHOLE,
): Promise<[CodecPart<CommandsOptions>]> {
  const { name, frontEnd, network, coding, continuous, coded, begin } = recogniser;
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
  const statistics: StoredStatistics = statisticsOf(frontEnd, draw(most(STATISTICS_UTTERANCES), 1));
  const base = {
    data,
    voices,
    frontEnd,
    network,
    statistics,
    batch: 16,
    batchesPerEpoch: 250,
    dropout: 0.1,
    shares: SHARES,
  };
  const part: CodecPart<CommandsOptions> = {
    name,
    folder: '',
    phases: {
      module: WORKLOAD,
      options: base,
      coding,
      optimizer: { decay: 0.02, beta2: 0.98 },
      continuous,
      coded,
      ...(begin && { initial: await networkOf(begin) }),
      firstBatches: most(60),
    },
    statistics,
    stepWidth: () => network.encoder.width,
    config: (chosen) => configOf(recogniser, chosen),
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

async function run(options: RecipeOptions, recogniser: Recogniser) {
  const { out } = options;
  const [part] = await commandsParts(options, recogniser);
  const model = await trainPart(part, options);
  if (model === null) return { aborted: true, lines: [] };
  const file = join(out, `${recogniser.name}.safetensors`);
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
  run: (options) => run(options, WHOLE),
};

export const commandsLiveRecipe: Recipe = {
  name: 'commands-live',
  summary: 'the same for streams that go on: it answers while somebody speaks, 0.33 s later',
  run: (options) => run(options, LIVE),
};
