/** Tables of contexts (entropy/context.ts) from the codewords of recordings. */
import {
  Adaptive,
  type CodewordModel,
  Context,
  type ContextTables,
  contextBytes,
  depthOf,
  encodeRun,
  FrequencyTable,
  frequenciesFromCounts,
  sumsOverTree,
} from '../../entropy/index.js';
import { createRandom } from '../../tensor/index.js';
import { shuffled } from '../augmentation/index.js';
import { leafOrder } from './leaf-order.js';
import { type Codes, LogBilinear } from './log-bilinear.js';

export interface ContextOptions {
  /** Passes over all codewords. */
  readonly epochs?: number;
  /** Step of the first one; it falls to almost 0. */
  readonly rate?: number;
  readonly decay?: number;
  readonly seed?: number;
}

/** What the tables of a model may take in its file, in bytes. */
export const MOST_CONTEXT_BYTES = 64_000;
const MOST_LEARNED_DIMENSIONS = 16;
/** Recordings that are held out to see whether contexts save anything. */
const HELD_OUT = 10;
/** Fewer vectors teach nothing that holds elsewhere. */
const LEAST_VECTORS = 2000;

/** Added to every count: a codeword that was not seen may come yet. */
const UNSEEN = 0.3;

/** The codebooks of all stages, [stages, codewords, width]. */
export interface Codebooks {
  readonly data: Float32Array;
  readonly stages: number;
  readonly codewords: number;
  readonly width: number;
}

/**
 * Learns tables; null where they save nothing on recordings that are held out, where there is too little to learn from, or
 * where not even 4 numbers a context fit the budget.
 */
export function learnContexts(
  recordings: readonly Codes[],
  codebooks: Codebooks,
  options: ContextOptions = {},
): ContextTables | null {
  const { stages, codewords } = codebooks;
  const { epochs = 12, rate = 0.1, decay = 1e-5, seed = 1 } = options;
  const vectors = recordings.reduce((sum, { length }) => sum + length / stages, 0);
  const dimensions = dimensionsOf(stages, codewords);
  if (vectors < LEAST_VECTORS || dimensions === 0) return null;
  const held = recordings.filter((_, n) => n % HELD_OUT === 0);
  const taught = recordings.filter((_, n) => n % HELD_OUT !== 0);
  const model = begun(taught, codebooks, dimensions, seed);
  const random = createRandom(seed);
  const steps = epochs * taught.length;
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const codes of shuffled(random, taught)) {
      model.pass(codes, rate * Math.max(0.02, 1 - step / steps), decay);
      step++;
    }
  }
  const tables = quantized(model);
  const counts = countsOf(taught, stages, codewords);
  const plain = new Adaptive(counts.map((stage) => new FrequencyTable(frequenciesFromCounts(stage))));
  return bytesOf(held, new Context(tables)) < bytesOf(held, plain) ? tables : null;
}

/** The most numbers of a context that the budget has room for. */
function dimensionsOf(stages: number, codewords: number): number {
  let dimensions = MOST_LEARNED_DIMENSIONS;
  while (dimensions > 0 && contextBytes(stages, codewords, dimensions) > MOST_CONTEXT_BYTES) dimensions -= 4;
  return dimensions;
}

const bytesOf = (recordings: readonly Codes[], model: CodewordModel): number =>
  recordings.reduce((sum, indices) => sum + encodeRun({ indices, stages: model.stages }, model).length, 0);

/** How often each stage has each codeword. */
export function countsOf(recordings: readonly Codes[], stages: number, codewords: number): Float64Array[] {
  const counts = Array.from({ length: stages }, () => new Float64Array(codewords));
  for (const codes of recordings) {
    for (let i = 0; i < codes.length; i++) counts[i % stages]![codes[i]!]!++;
  }
  return counts;
}

/** A model that knows how often codewords are used, and nothing of contexts. */
function begun(
  recordings: readonly Codes[],
  { data, stages, codewords, width }: Codebooks,
  dimensions: number,
  seed: number,
): LogBilinear {
  const depth = depthOf(codewords);
  const leaves = new Int16Array(stages * codewords);
  const biases = new Float64Array(stages << depth);
  countsOf(recordings, stages, codewords).forEach((counts, s) => {
    const size = codewords * width;
    const own = leafOrder(data.subarray(s * size, (s + 1) * size), codewords, width, depth);
    leaves.set(own, s * codewords);
    const atLeaves = new Float64Array(1 << depth);
    for (let v = 0; v < codewords; v++) atLeaves[own[v]!] = counts[v]! + UNSEEN;
    const sums = sumsOverTree(atLeaves, depth);
    for (let node = 1; node < 1 << depth; node++) {
      // A node that has codewords on one side only is as good as decided.
      const odds = (sums[2 * node + 1]! + 1e-6) / (sums[2 * node]! + 1e-6);
      biases[(s << depth) + node] = Math.log(odds);
    }
  });
  return new LogBilinear({ stages, codewords, depth, dimensions }, leaves, biases, seed);
}

const inUnits = (values: Float64Array, unit: number, most: number): number[] =>
  Array.from(values, (value) => Math.max(-most, Math.min(most, Math.round(value * unit))));

/** Whole numbers in the units of entropy/context.ts. */
function quantized({ shape, leaves, biases, nodes, previous, second, earlier }: LogBilinear): ContextTables {
  const { stages, codewords, dimensions } = shape;
  const rows = ({ values }: { readonly values: Float64Array }) => Int8Array.from(inUnits(values, 32, 127));
  return {
    stages,
    codewords,
    dimensions,
    leaves,
    biases: Int16Array.from(inUnits(biases, 256, 2 ** 15 - 1)),
    nodes: rows(nodes),
    previous: rows(previous),
    second: rows(second),
    earlier: rows(earlier),
  };
}
