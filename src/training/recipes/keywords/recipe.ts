/** acom train keywords: a classifier of ten spoken keywords, other words and silence. */
import { join } from 'node:path';
import type { CodecConfig } from '../../../codec/index.js';
import { createRandom } from '../../../tensor/index.js';
import { shuffled } from '../../augmentation/index.js';
import { writeWhole } from '../../data/files.js';
import { batchesOf, type Labelled } from '../classifier.js';
import { type CodingOptions, quantizerConfig } from '../coding.js';
import { reportSkipped } from '../datasets.js';
import { statisticsOf } from '../features.js';
import { evaluateSet, evaluationLines, type TestSet, writeTestSet } from '../finish.js';
import { type CodecPart, trainPart } from '../part.js';
import type { Recipe, RecipeOptions } from '../recipe.js';
import { inRows } from '../rows.js';
import { voicesFolder } from '../voices.js';
import {
  CLIP_SECONDS,
  FRONT_END,
  KEYWORDS,
  type KeywordsOptions,
  LABELS,
  loadKeywords,
  NETWORK,
} from './workload.js';

const WORKLOAD = new URL('./workload.js', import.meta.url);
const BATCH = 32;
/** Takes of each word by each synthetic voice. */
const TAKES = 1;
const EPOCHS = { continuous: 45, coded: 25 };

/** 4 vectors for a clip of 1 s, of 8 bits for each codebook: 32 bit/s. */
const CODING: CodingOptions = {
  splitLayer: 2,
  pooling: 8,
  pooledBy: 'learned',
  codebooks: 3,
  codewords: 256,
  commitment: 0.25,
  rate: 0,
  use: 0,
  continuous: 0.3,
};

const configOf = (coding: CodingOptions): CodecConfig => ({
  name: 'keywords',
  task: 'classification',
  labels: LABELS,
  frontEnd: FRONT_END,
  clipSeconds: CLIP_SECONDS,
  network: NETWORK,
  splitLayer: coding.splitLayer,
  quantizer: quantizerConfig(coding, NETWORK.encoder.width),
  licence: 'CC BY 4.0',
  trainingData: [
    'Google Speech Commands (Warden 2018, arXiv 1804.03209, CC BY 4.0)',
    'espeak-ng and flite voices',
  ],
});

const isKeyword = ({ label }: Labelled): boolean => label < KEYWORDS.length;

const testSetOf = (name: string, clips: readonly Labelled[]): TestSet => ({
  name,
  sampleRate: FRONT_END.sampleRate,
  recordings: clips.map((clip) => ({ samples: clip.samples(), said: LABELS[clip.label]! })),
});

export async function keywordsParts(options: RecipeOptions): Promise<[CodecPart<KeywordsOptions>]> {
  const { data, seed, report } = options;
  const voices = await voicesFolder(options, TAKES);
  const material = await loadKeywords(data, voices);
  reportSkipped(material.problems, options);
  report({
    kind: 'note',
    text: `${material.training.length} clips to train on, ${material.problems.length} skipped; test: ${material.test.length} of unseen speakers`,
  });
  const recorded = material.training.filter(({ isSynthetic }) => !isSynthetic);
  const some = shuffled(createRandom(seed), recorded).slice(0, 1000);
  const statistics = statisticsOf(
    FRONT_END,
    some.map((clip) => clip.samples()),
  );
  const batches = batchesOf(material.training.length, BATCH);
  const part: CodecPart<KeywordsOptions> = {
    name: 'keywords',
    folder: '',
    phases: {
      module: WORKLOAD,
      options: { data, voices, statistics, batch: BATCH, mixup: 0.1 },
      coding: CODING,
      optimizer: { decay: 0.03, beta2: 0.98 },
      continuous: {
        steps: EPOCHS.continuous * batches,
        schedule: { kind: 'cosine', rate: 2e-3, warmup: 300 },
        averaging: 0.998,
        validateEvery: 5 * batches,
        checkpointEvery: batches,
      },
      coded: {
        steps: EPOCHS.coded * batches,
        schedule: { kind: 'cosine', rate: 1.2e-3, warmup: 100 },
        averaging: 0.998,
        validateEvery: 3 * batches,
        checkpointEvery: batches,
      },
      firstBatches: 40,
    },
    statistics,
    stepWidth: () => NETWORK.encoder.width,
    config: configOf,
    counted: () => inRows(recorded, CLIP_SECONDS * FRONT_END.sampleRate),
    validation: testSetOf('validation', material.validation.filter(isKeyword)),
    tests: [
      {
        about: 'ten words, unseen speakers',
        set: testSetOf('test-words', material.test.filter(isKeyword)),
      },
      { about: 'all twelve classes, unseen speakers', set: testSetOf('test-all', material.test) },
    ],
  };
  return [part];
}

async function run(options: RecipeOptions) {
  const { out } = options;
  const [part] = await keywordsParts(options);
  const model = await trainPart(part, options);
  if (model === null) return { aborted: true, lines: [] };
  const file = join(out, 'keywords.safetensors');
  await writeWhole(file, model);
  const lines = [`wrote ${file}`];
  for (const { about, set } of part.tests) {
    const manifest = await writeTestSet(out, set, 'label');
    lines.push(...evaluationLines(`${about} (${manifest})`, await evaluateSet(model, set)));
  }
  return { aborted: false, lines };
}

export const keywordsRecipe: Recipe = {
  name: 'keywords',
  summary: 'a classifier of ten spoken keywords, other words and silence',
  run,
};
