/**
 * What quantising costs, foretold from one walk back through the continuous network for each cut: no choice is run.
 *
 *   L(x + e) - L(x)  ≈  g·e + ½ eᵀ H e,    H ≈ E[g̃ g̃ᵀ]
 *
 * x: the steps of a recording at the cut. e: what quantising adds to them. g: the gradient of the task's loss. H: its second
 * derivative by the Fisher information, the mean over g̃ of targets that the network itself draws (Amari 1998; Martens 2020).
 * Only e depends on pooling, codebooks and codewords, and needs codebooks of k-means but no pass through the network.
 */
import { constant, Tape } from '../../src/autograd/index.js';
import { createRandom, flat, view } from '../../src/tensor/index.js';
import type { Trained } from '../../src/training/run/index.js';
import { type Choice, describe } from './choices.js';
import { spearman } from './correlation.js';
import { type Batch, kept, outOf, type Probed, passOf, validated, validationBatches } from './probe.js';
import { type Output, provenanceOf, writeResults } from './results.js';
import { type Part, trainedOf } from './tasks.js';
import { startOf, type TrialSettings } from './trial.js';

/** Targets that are drawn for each recording. */
const DRAWS = 8;

/** Steps at a cut and gradients there, of one batch. */
interface Slopes {
  /** [Σ steps, width]. */
  readonly steps: Float32Array;
  readonly lengths: readonly number[];
  readonly width: number;
  /** Of the loss with the true targets, and of DRAWS losses with drawn ones; like steps. */
  readonly slope: Float32Array;
  readonly drawn: readonly Float32Array[];
}

/** Gradients of a batch's loss at the cut of `workload`. */
function slopesOf(workload: Probed, network: ReturnType<typeof kept>, batch: Batch): Slopes {
  const pass = passOf(network);
  const half = workload.coded.network;
  const { steps, shape, lengths } = outOf(() => {
    const { x, lengths } = half.prefix(pass, batch.features);
    return { steps: Float32Array.from(flat(x.value)), shape: x.shape, lengths };
  });
  const random = createRandom(1);
  const gradient = (isDrawn: boolean): Float32Array =>
    outOf(() => {
      const tape = new Tape();
      const leaf = tape.variable(view(steps, shape));
      const logits = half.suffix(pass, { x: leaf, lengths });
      const targets = isDrawn ? workload.sampled(logits, batch, random) : batch;
      tape.backward(workload.taskLoss(logits, targets));
      return Float32Array.from(flat(leaf.gradient!));
    });
  return {
    steps,
    lengths,
    width: shape[1]!,
    slope: gradient(false),
    drawn: Array.from({ length: DRAWS }, () => gradient(true)),
  };
}

const dot = (a: Float32Array, b: Float32Array, from: number, to: number): number => {
  let sum = 0;
  for (let i = from; i < to; i++) sum += a[i]! * b[i]!;
  return sum;
};

export interface Forecast {
  /**
   * Means over recordings of g·e, of ½ eᵀ H e, and of the same where errors of different steps are taken for independent, which
   * leaves the blocks of H on its diagonal; for 1 to K codebooks.
   */
  readonly first: readonly number[];
  readonly second: readonly number[];
  readonly blocks: readonly number[];
  /** Mean of |e|² over that of |x - mean x|². */
  readonly distortion: readonly number[];
}

/** What is foretold for a workload with codebooks, from slopes at its cut. */
function forecast(
  workload: Probed,
  state: ReturnType<typeof kept>,
  slopes: readonly Slopes[],
  codebooks: number,
): Forecast {
  const pass = passOf(state);
  const { pooling, quantizer } = workload.coded.coding!;
  const zero = (): number[] => new Array<number>(codebooks).fill(0);
  const [first, second, blocks, squares] = [zero(), zero(), zero(), zero()];
  let recordings = 0;
  for (const { steps, lengths, width, slope, drawn } of slopes) {
    recordings += lengths.length;
    for (let k = 1; k <= codebooks; k++) {
      const error = outOf(() => {
        const x = { x: constant(view(steps, [steps.length / width, width])), lengths };
        const vectors = pooling.pool(pass, x);
        const { quantized } = quantizer.forward(
          pass,
          vectors,
          lengths.map(() => k),
        );
        const read = flat(pooling.unpool(pass, quantized, lengths).x.value);
        return Float32Array.from(read, (value, i) => value - steps[i]!);
      });
      let at = 0;
      for (const length of lengths) {
        const end = at + length * width;
        first[k - 1]! += dot(slope, error, at, end);
        for (const each of drawn) {
          let whole = 0;
          for (let step = at; step < end; step += width) {
            const one = dot(each, error, step, step + width);
            whole += one;
            blocks[k - 1]! += one ** 2 / (2 * DRAWS);
          }
          second[k - 1]! += whole ** 2 / (2 * DRAWS);
        }
        at = end;
      }
      squares[k - 1]! += dot(error, error, 0, error.length);
    }
  }
  const spread = spreadOf(slopes);
  return {
    first: first.map((sum) => sum / recordings),
    second: second.map((sum) => sum / recordings),
    blocks: blocks.map((sum) => sum / recordings),
    distortion: squares.map((sum) => sum / spread),
  };
}

/** Σ |x - mean x|². */
function spreadOf(slopes: readonly Slopes[]): number {
  const { width } = slopes[0]!;
  const mean = new Float64Array(width);
  let rows = 0;
  for (const { steps } of slopes) {
    rows += steps.length / width;
    for (let i = 0; i < steps.length; i++) mean[i % width]! += steps[i]!;
  }
  let sum = 0;
  for (const { steps } of slopes) {
    for (let i = 0; i < steps.length; i++) sum += (steps[i]! - mean[i % width]! / rows) ** 2;
  }
  return sum;
}

export interface CriterionRow extends Forecast {
  readonly choice: Choice;
  /** The task's loss on the same recordings: continuous, then with 1 to K codebooks. */
  readonly losses: readonly number[];
}

export interface CriterionSettings extends Output {
  readonly choices: readonly Choice[];
}

/** A choice on one part. */
async function foretell(
  part: Part,
  choice: Choice,
  continuous: Trained,
  known: Map<string, Slopes[]>,
  seed: number,
): Promise<CriterionRow> {
  const { workload, state } = await startOf(part, choice, continuous, seed);
  const at = `${part.folder} ${choice.splitLayer}`;
  let slopes = known.get(at);
  if (slopes === undefined) {
    const network = kept(continuous);
    slopes = (await validationBatches(workload)).map((batch) => slopesOf(workload, network, batch));
    known.set(at, slopes);
  }
  const ready = kept(state);
  const scores = await validated(workload, ready);
  return {
    choice,
    ...forecast(workload, ready, slopes, choice.codebooks),
    losses: Array.from({ length: choice.codebooks + 1 }, (_, k) => scores[`loss${k}`]!),
  };
}

/** Means over parts. */
function meanRow(rows: readonly CriterionRow[]): CriterionRow {
  const mean = (of: (row: CriterionRow) => readonly number[]): number[] =>
    of(rows[0]!).map((_, n) =>
      Number((rows.reduce((sum, row) => sum + of(row)[n]!, 0) / rows.length).toPrecision(6)),
    );
  return {
    choice: rows[0]!.choice,
    first: mean(({ first }) => first),
    second: mean(({ second }) => second),
    blocks: mean(({ blocks }) => blocks),
    distortion: mean(({ distortion }) => distortion),
    losses: mean(({ losses }) => losses),
  };
}

/** Foretold and measured loss of every choice, and how well they agree in rank. */
export async function criterion(
  parts: readonly Part[],
  { choices, out, command, say }: CriterionSettings,
  { task, runs, options }: TrialSettings,
): Promise<boolean> {
  const provenance = provenanceOf('criterion', task.name, options.seed, command);
  const rows: CriterionRow[] = [];
  const known = new Map<string, Slopes[]>();
  for (const choice of choices) {
    const ofParts: CriterionRow[] = [];
    for (const part of parts) {
      if (options.signal.aborted) return false;
      const continuous = await trainedOf(runs, task, part, 'continuous');
      ofParts.push(await foretell(part, choice, continuous, known, options.seed));
    }
    const row = meanRow(ofParts);
    rows.push(row);
    await writeResults(out, { ...provenance, rows });
    const shown = (values: readonly number[]): string => values.map((value) => value.toFixed(3)).join(' / ');
    const more = row.losses.slice(1).map((loss) => loss - row.losses[0]!);
    say(
      `${describe(choice)}: foretold ${shown(row.first.map((x, k) => x + row.second[k]!))}; measured ${shown(more)}`,
    );
  }
  const points = pointsOf(rows).filter(({ pooling }) => pooling === 1);
  const correlation = (of: (point: (typeof points)[number]) => number): string =>
    spearman(
      points.map(of),
      points.map(({ measured }) => measured),
    ).toFixed(3);
  say(
    `${points.length} choices of cut, codewords and codebooks with every step a vector; rank correlation with the loss that was measured: ` +
      `first and second order ${correlation(({ foretold }) => foretold)}, second ${correlation(({ second }) => second)}, ` +
      `its blocks ${correlation(({ blocks }) => blocks)}, squared error alone ${correlation(({ distortion }) => distortion)}`,
  );
  return true;
}

/** Every number of codebooks of every row by itself: loss that was foretold to be added, and that was. */
export function pointsOf(rows: readonly CriterionRow[]) {
  return rows.flatMap(({ choice, first, second, blocks, distortion, losses }) =>
    first.map((slope, n) => ({
      splitLayer: choice.splitLayer,
      pooling: choice.pooling,
      codewords: choice.codewords,
      k: n + 1,
      foretold: slope + second[n]!,
      second: second[n]!,
      blocks: blocks[n]!,
      distortion: distortion[n]!,
      measured: losses[n + 1]! - losses[0]!,
    })),
  );
}
