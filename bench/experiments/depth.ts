/**
 * Why deeper cuts bear coarser codes: of every cut of the continuous network, on validation recordings, how many directions its
 * steps use, what codes of them tell about the labels, and what becomes of errors on the way to the logits.
 */
import { constant } from '../../src/autograd/index.js';
import { concatenate, createNormal, createRandom, flat, view } from '../../src/tensor/index.js';
import type { PackedSteps } from '../../src/training/networks/network.js';
import type { Choice } from './choices.js';
import { mutualInformation } from './information.js';
import { type Batch, kept, outOf, type Probed, passOf, validationBatches } from './probe.js';
import { type Output, provenanceOf, writeResults } from './results.js';
import { spectrumOf } from './spectrum.js';
import { type Part, trainedOf } from './tasks.js';
import { startOf, type TrialSettings } from './trial.js';

/** Codewords that codes and labels are counted with: few, so that pairs are seen often. */
const CODEWORDS = 32;
/** Sizes of white errors, as parts of the steps' own spread. */
const SIZES = [0.1, 0.3, 1] as const;
/** Steps that a spectrum is of. */
const MOST_STEPS = 20_000;

export interface DepthRow {
  readonly splitLayer: number;
  /** Numbers of a step. */
  readonly width: number;
  readonly effectiveRank: number;
  /** Directions of nine tenths of the variance. */
  readonly ninety: number;
  /** Largest parts of the variance, by direction. */
  readonly shares: readonly number[];
  /** Of one code of `CODEWORDS` for each step, and the step's label. */
  readonly information: number;
  readonly labelBits: number;
  readonly pairs: number;
  /** Squared error of that code, as a part of the variance. */
  readonly distortion: number;
  /** What those errors make of the logits: |Δ logits|² as a part of the variance of logits. */
  readonly codeAtLogits: number;
  /** The same of white errors of SIZES. */
  readonly whiteAtLogits: readonly number[];
}

/** Labels of every step, or null where a recording has none. */
type StepLabels = (logits: PackedSteps, batch: Batch, lengths: readonly number[]) => (number | null)[];

/** Σ (x - mean x)², mean by column. */
function spread(x: Float32Array, width: number): number {
  const mean = new Float64Array(width);
  const rows = x.length / width;
  for (let i = 0; i < x.length; i++) mean[i % width]! += x[i]! / rows;
  return x.reduce((sum, value, i) => sum + (value - mean[i % width]!) ** 2, 0);
}

const squaredDistance = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0);

/** Of a classifier, whose labels are those of its recordings. */
const labelsOfClips: StepLabels = (_, batch, lengths) => {
  const { labels } = batch as Batch & { readonly labels: readonly number[] };
  return lengths.flatMap((length, n) => new Array<number>(length).fill(labels[n]!));
};

/** Of a recogniser: the word whose peak is nearest. Class 0 is the blank. */
const labelsOfPeaks: StepLabels = ({ x, lengths: frames }, _, lengths) => {
  const classes = x.shape[1]!;
  const values = flat(x.value);
  let at = 0;
  return lengths.flatMap((length, n) => {
    const peaks: { readonly frame: number; readonly label: number }[] = [];
    for (let frame = 0; frame < frames[n]!; frame++, at++) {
      const row = values.subarray(at * classes, (at + 1) * classes);
      const label = row.indexOf(Math.max(...row));
      if (label !== 0) peaks.push({ frame, label });
    }
    return Array.from({ length }, (_, step) => {
      if (peaks.length === 0) return null;
      const frame = (step * frames[n]!) / length;
      const off = (peak: (typeof peaks)[number]): number => Math.abs(peak.frame - frame);
      return peaks.reduce((best, peak) => (off(peak) < off(best) ? peak : best)).label;
    });
  });
};

interface Walked {
  readonly steps: Float32Array;
  readonly logits: Float32Array;
  readonly lengths: readonly number[];
  readonly width: number;
  readonly classes: number;
  readonly labels: readonly (number | null)[];
}

function walk(
  workload: Probed,
  network: ReturnType<typeof kept>,
  batch: Batch,
  labelsOf: StepLabels,
): Walked {
  return outOf(() => {
    const pass = passOf(network);
    const half = workload.coded.network;
    const { x, lengths } = half.prefix(pass, batch.features);
    const logits = half.suffix(pass, { x, lengths });
    return {
      steps: Float32Array.from(flat(x.value)),
      logits: Float32Array.from(flat(logits.x.value)),
      lengths,
      width: x.shape[1]!,
      classes: logits.x.shape[1]!,
      labels: labelsOf(logits, batch, lengths),
    };
  });
}

/** Logits of other steps. */
const logitsOf = (
  workload: Probed,
  network: ReturnType<typeof kept>,
  { width, lengths }: Walked,
  steps: Float32Array,
): Float32Array =>
  outOf(() => {
    const x = constant(view(steps, [steps.length / width, width]));
    return Float32Array.from(flat(workload.coded.network.suffix(passOf(network), { x, lengths }).x.value));
  });

async function rowOf(part: Part, splitLayer: number, settings: TrialSettings): Promise<DepthRow> {
  const { task, runs, options } = settings;
  const choice: Choice = {
    losses: 'k-means',
    splitLayer,
    pooling: 1,
    codebooks: 1,
    codewords: CODEWORDS,
    beta: 0,
    lambda: 0,
    width: 128,
    rate: 0,
    epochs: 0,
  };
  const continuous = await trainedOf(runs, task, part, 'continuous');
  const { workload, state } = await startOf(part, choice, continuous, options.seed);
  const network = kept(state);
  const labelsOf = task.metric === 'accuracy' ? labelsOfClips : labelsOfPeaks;
  const walked = (await validationBatches(workload)).map((batch) => walk(workload, network, batch, labelsOf));
  const { width, classes } = walked[0]!;
  const steps = concatenate(walked.map((each) => each.steps));
  const logits = concatenate(walked.map((each) => each.logits));
  const [stepSpread, logitSpread] = [spread(steps, width), spread(logits, classes)];

  const codes: number[] = [];
  const labels: number[] = [];
  let [distortion, codeAtLogits] = [0, 0];
  for (const each of walked) {
    const { read, indices } = outOf(() => {
      const x = { x: constant(view(each.steps, [each.steps.length / width, width])), lengths: each.lengths };
      const pass = passOf(network);
      const quantization = workload.coded.coding!.quantizer.forward(pass, x);
      return {
        read: Float32Array.from(flat(quantization.quantized.value)),
        indices: Array.from(quantization.indices.data),
      };
    });
    each.labels.forEach((label, n) => {
      if (label === null) return;
      labels.push(label);
      codes.push(indices[n]!);
    });
    distortion += squaredDistance(read, each.steps);
    codeAtLogits += squaredDistance(logitsOf(workload, network, each, read), each.logits);
  }
  const whiteAtLogits = SIZES.map((size) => {
    const normal = createNormal(createRandom(options.seed));
    const deviation = size * Math.sqrt(stepSpread / steps.length);
    const sum = walked.reduce((total, each) => {
      const moved = each.steps.map((value) => value + deviation * normal());
      return total + squaredDistance(logitsOf(workload, network, each, moved), each.logits);
    }, 0);
    return sum / logitSpread;
  });
  const { effectiveRank, ninety, shares } = spectrumOf(steps.subarray(0, MOST_STEPS * width), width);
  const { bits, labelBits, pairs } = mutualInformation(codes, labels);
  return {
    splitLayer,
    width,
    effectiveRank,
    ninety,
    shares: shares.slice(0, 64),
    information: bits,
    labelBits,
    pairs,
    distortion: distortion / stepSpread,
    codeAtLogits: codeAtLogits / logitSpread,
    whiteAtLogits,
  };
}

const short = (value: number): number => Number(value.toPrecision(5));

/** Means over parts; widths and cuts are the same in all. */
function meanRow(rows: readonly DepthRow[]): DepthRow {
  const mean = (of: (row: DepthRow) => number): number =>
    short(rows.reduce((sum, row) => sum + of(row), 0) / rows.length);
  const { splitLayer, width, shares, whiteAtLogits } = rows[0]!;
  return {
    splitLayer,
    width,
    effectiveRank: mean((row) => row.effectiveRank),
    ninety: mean((row) => row.ninety),
    shares: shares.map((_, n) => mean((row) => row.shares[n]!)),
    information: mean((row) => row.information),
    labelBits: mean((row) => row.labelBits),
    pairs: mean((row) => row.pairs),
    distortion: mean((row) => row.distortion),
    codeAtLogits: mean((row) => row.codeAtLogits),
    whiteAtLogits: whiteAtLogits.map((_, n) => mean((row) => row.whiteAtLogits[n]!)),
  };
}

export async function depth(
  parts: readonly Part[],
  { out, command, say }: Output,
  settings: TrialSettings,
): Promise<boolean> {
  const { task, options } = settings;
  const provenance = provenanceOf('depth', task.name, options.seed, command);
  const rows: DepthRow[] = [];
  for (const { splitLayer } of task.cuts) {
    const ofParts: DepthRow[] = [];
    for (const part of parts) {
      if (options.signal.aborted) return false;
      ofParts.push(await rowOf(part, splitLayer, settings));
    }
    const row = meanRow(ofParts);
    rows.push(row);
    await writeResults(out, { ...provenance, rows });
    say(
      `cut after ${splitLayer}: effective rank ${row.effectiveRank.toFixed(1)} of ${row.width}; code and label share ` +
        `${row.information.toFixed(2)} of ${row.labelBits.toFixed(2)} bits; ${CODEWORDS} codewords leave ${row.distortion.toFixed(3)} of ` +
        `the variance, and ${row.codeAtLogits.toFixed(3)} of that of the logits; white errors of ${SIZES.join(', ')}: ` +
        `${row.whiteAtLogits.map((value) => value.toFixed(3)).join(', ')}`,
    );
  }
  return true;
}
