/**
 * acom train esc10: a classifier of environmental sounds. Each of the folds is held out once, by a network that never heard
 * it; the model that is kept has heard all of them.
 */
import { join } from 'node:path';
import type { CodecConfig } from '../../../codec/index.js';
import { type Evaluation, poolEvaluations } from '../../../evaluation/index.js';
import { writeWhole } from '../../data/files.js';
import { batchesOf, type Labelled } from '../classifier.js';
import { type CodingOptions, quantizerConfig } from '../coding.js';
import { reportSkipped } from '../datasets.js';
import { statisticsOf } from '../features.js';
import { evaluateSet, evaluationLines, type TestSet } from '../finish.js';
import { type CodecPart, trainPart } from '../part.js';
import type { Recipe, RecipeOptions } from '../recipe.js';
import { inRows } from '../rows.js';
import {
  CLIP_SECONDS,
  type Esc10Options,
  FRONT_END,
  foldsOf,
  LABELS,
  loadEsc10,
  NETWORK,
  stepWidth,
} from './workload.js';

const WORKLOAD = new URL('./workload.js', import.meta.url);

const BATCH = 32;
/** Folder of the network that hears all folds. */
const FINAL = 'final';

/** After four blocks a clip is 12 steps of 4 bands. 12 vectors for each clip of 5 s, of 8 bits for each codebook: 19 bit/s. */
const CODING: CodingOptions = {
  splitLayer: 4,
  pooling: 1,
  pooledBy: 'learned',
  codebooks: 5,
  codewords: 256,
  width: 128,
  commitment: 0.25,
  rate: 0,
  use: 0,
  continuous: 0.5,
};

const CONTINUOUS_EPOCHS = 100;
const CODED_EPOCHS = 24;

const configOf = (coding: CodingOptions): CodecConfig => ({
  name: 'esc10',
  task: 'classification',
  labels: LABELS,
  frontEnd: FRONT_END,
  clipSeconds: CLIP_SECONDS,
  network: NETWORK,
  splitLayer: coding.splitLayer,
  quantizer: quantizerConfig(coding, stepWidth(coding.splitLayer)),
  licence: 'CC BY 3.0',
  trainingData: ['ESC-10 (Piczak 2015, from freesound.org, CC BY 3.0)'],
});

const testSetOf = (clips: readonly Labelled[]): TestSet => ({
  name: 'held-out',
  sampleRate: FRONT_END.sampleRate,
  recordings: clips.map((clip) => ({ samples: clip.samples(), said: LABELS[clip.label]! })),
});

/** A network for each fold that it never hears, then the one that hears all. */
export async function esc10Parts(options: RecipeOptions): Promise<CodecPart<Esc10Options>[]> {
  const { data, report } = options;
  const loaded = await loadEsc10(data);
  const { problems } = loaded;
  reportSkipped(problems, options);
  const folds = [...new Set(loaded.clips.map(({ fold }) => fold!))].sort((a, b) => a - b);
  report({
    kind: 'note',
    text: `${loaded.clips.length} recordings in folds ${folds.join(', ')}, ${problems.length} skipped`,
  });
  return [...folds.map((fold) => [fold]), []].map((held) => {
    const { held: heldOut, others } = foldsOf(loaded, held);
    const batches = batchesOf(others.length, BATCH);
    const recorded = (): Float32Array[] => others.map((clip) => clip.samples());
    const statistics = statisticsOf(FRONT_END, recorded());
    const set = testSetOf(heldOut);
    return {
      name: held.length === 0 ? 'all folds' : `fold ${held.join()} held out`,
      folder: held.length === 0 ? FINAL : `fold-${held.join()}`,
      phases: {
        module: WORKLOAD,
        options: { data, held, statistics, batch: BATCH, mixup: 0.3 },
        coding: CODING,
        optimizer: { decay: 0.05 },
        continuous: {
          steps: CONTINUOUS_EPOCHS * batches,
          schedule: { kind: 'cosine', rate: 2e-3, warmup: 50 },
          averaging: 0.98,
          validateEvery: 15 * batches,
          checkpointEvery: 5 * batches,
        },
        coded: {
          steps: CODED_EPOCHS * batches,
          schedule: { kind: 'cosine', rate: 1e-3, warmup: 20 },
          averaging: 0.98,
          validateEvery: 10 * batches,
          checkpointEvery: 5 * batches,
        },
        firstBatches: 30,
      },
      statistics,
      stepWidth,
      config: configOf,
      counted: () => inRows(others, CLIP_SECONDS * FRONT_END.sampleRate),
      validation: set,
      tests: held.length === 0 ? [] : [{ about: 'held-out fold', set }],
    };
  });
}

async function run(options: RecipeOptions) {
  const { out, report } = options;
  const lines: string[] = [];
  const scores: Evaluation[] = [];
  for (const part of await esc10Parts(options)) {
    report({ kind: 'note', text: part.name });
    const model = await trainPart(part, options);
    if (model === null) return { aborted: true, lines: [] };
    if (part.folder === FINAL) {
      const file = join(out, 'esc10.safetensors');
      await writeWhole(file, model);
      lines.push(`wrote ${file}`);
    }
    for (const { set } of part.tests) {
      const score = await evaluateSet(model, set);
      scores.push(score);
      lines.push(...evaluationLines(part.name, score));
    }
  }
  const all = `all ${scores.length} folds held out in turn`;
  return { aborted: false, lines: [...lines, ...evaluationLines(all, poolEvaluations(scores))] };
}

export const esc10Recipe: Recipe = {
  name: 'esc10',
  summary: 'a classifier of ten environmental sounds, with cross-validation',
  run,
};
