/**
 * acom train esc10: a classifier of environmental sounds. Each of the folds is held out once, by a network that never heard
 * it; the model that is kept has heard all of them.
 */
import { join } from 'node:path';
import type { CodecConfig } from '../../../codec/index.js';
import type { Evaluation } from '../../../evaluation/index.js';
import { accuracyOf } from '../../../tasks/index.js';
import { writeWhole } from '../../data/files.js';
import { batchesOf, type Labelled } from '../classifier.js';
import { type CodingOptions, quantizerConfig } from '../coding.js';
import { reportSkipped } from '../datasets.js';
import { type StoredStatistics, statisticsOf } from '../features.js';
import { evaluateSet, evaluationLines, modelBytes, type TestSet } from '../finish.js';
import { trainPhases } from '../phases.js';
import type { Recipe, RecipeOptions } from '../recipe.js';
import {
  CLIP_SECONDS,
  type Esc10Options,
  FRONT_END,
  foldsOf,
  LABELS,
  loadEsc10,
  NETWORK,
  SPLIT_LAYER,
  STEP_WIDTH,
} from './workload.js';

const WORKLOAD = new URL('./workload.js', import.meta.url);

const BATCH = 32;

/** 12 vectors for each clip of 5 s, of 8 bits for each codebook: 19 bit/s. */
const CODING: CodingOptions = {
  pooling: 1,
  pooledBy: 'learned',
  codebooks: 5,
  codewords: 256,
  width: 128,
  commitment: 0.25,
  rate: 0,
  use: 0,
  continuous: 0.25,
};

const CONTINUOUS_EPOCHS = 60;
const CODED_EPOCHS = 18;

const CONFIG: CodecConfig = {
  name: 'esc10',
  task: 'classification',
  labels: LABELS,
  frontEnd: FRONT_END,
  clipSeconds: CLIP_SECONDS,
  network: NETWORK,
  splitLayer: SPLIT_LAYER,
  quantizer: quantizerConfig(CODING, STEP_WIDTH),
  licence: 'CC BY 3.0',
  trainingData: ['ESC-10 (Piczak 2015, from freesound.org, CC BY 3.0)'],
};

const testSetOf = (clips: readonly Labelled[]): TestSet => ({
  name: 'held-out',
  sampleRate: FRONT_END.sampleRate,
  recordings: clips.map((clip) => ({ samples: clip.samples(), said: LABELS[clip.label]! })),
});

/** One evaluation from those of all folds: counts are added, rates are of all recordings. */
function pooled(parts: readonly Evaluation[]): string[] {
  const clips = parts.reduce((sum, { recordings }) => sum + recordings, 0);
  const row = (name: string, of: (part: Evaluation) => number) => {
    const right = parts.reduce((sum, part) => sum + of(part), 0);
    const { rate, interval } = accuracyOf(right, clips);
    return `  ${name}  ${right} of ${clips}, ${(100 * rate).toFixed(2)} % (${(100 * interval[0]).toFixed(1)} to ${(100 * interval[1]).toFixed(1)})`;
  };
  const mean = (of: (part: Evaluation) => number): string =>
    (parts.reduce((sum, part) => sum + of(part), 0) / parts.length).toFixed(1);
  return [
    `all ${parts.length} folds held out in turn: ${clips} recordings, accuracy`,
    row('continuous', ({ continuous }) => continuous.count),
    ...Array.from({ length: CODING.codebooks }, (_, i) =>
      row(
        `k = ${i + 1}  raw ${mean(({ points }) => points[i]!.rawBitRate)}, entropy ` +
          `${mean(({ points }) => points[i]!.entropyBitRate)}, coded ${mean(({ points }) => points[i]!.codedBitRate)} bit/s:`,
        ({ points }) => points[i]!.count,
      ),
    ),
  ];
}

async function run(options: RecipeOptions) {
  const { data, out, report } = options;
  const loaded = await loadEsc10(data);
  const { problems } = loaded;
  reportSkipped(problems, options);
  const folds = [...new Set(loaded.clips.map(({ fold }) => fold!))].sort((a, b) => a - b);
  report({
    kind: 'note',
    text: `${loaded.clips.length} recordings in folds ${folds.join(', ')}, ${problems.length} skipped`,
  });
  const lines: string[] = [];
  const scores: Evaluation[] = [];
  for (const held of [...folds.map((fold) => [fold]), []]) {
    const name = held.length === 0 ? 'all folds' : `fold ${held.join()} held out`;
    report({ kind: 'note', text: name });
    const parts = foldsOf(loaded, held);
    const batches = batchesOf(parts.others.length, BATCH);
    const statistics: StoredStatistics = statisticsOf(
      FRONT_END,
      parts.others.map((clip) => clip.samples()),
    );
    const { coded } = await trainPhases<Esc10Options>(
      {
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
      options,
      join(out, held.length === 0 ? 'final' : `fold-${held.join()}`),
    );
    if (coded === null || coded.aborted) return { aborted: true, lines: [] };
    const counted = parts.others.map((clip) => clip.samples());
    const model = await modelBytes(CONFIG, coded, statistics, counted);
    if (held.length === 0) {
      const file = join(out, 'esc10.safetensors');
      await writeWhole(file, model);
      lines.push(`wrote ${file}`);
      continue;
    }
    const score = await evaluateSet(model, testSetOf(parts.held));
    scores.push(score);
    lines.push(...evaluationLines(name, score));
  }
  return { aborted: false, lines: [...lines, ...pooled(scores)] };
}

export const esc10Recipe: Recipe = {
  name: 'esc10',
  summary: 'a classifier of ten environmental sounds, with cross-validation',
  run,
};
