/** Fewer vectors a second than the network has steps, and as many steps again after the quantiser. */
import {
  gatherRows,
  linear,
  poolFrames,
  repeatFrames,
  reshape,
  type Variable,
} from '../../autograd/index.js';
import { DECODE, ENCODE, type QuantizerConfig } from '../../codec/index.js';
import { createNormal, createRandom, UsageError } from '../../tensor/index.js';
import { all } from './initialise.js';
import type { PackedSteps, ParameterSpec, Pass } from './network.js';

/** What stands around a quantiser: a codec model runs the same, configured as `config` says. */
export interface Pooling {
  /** By the names of model files. */
  readonly parameters: ReadonlyMap<string, ParameterSpec>;
  /** Fields of the codec's configuration. */
  readonly config: Pick<QuantizerConfig, 'pooling' | 'pooledBy' | 'projection'>;
  /** Numbers of a vector, as the quantiser sees it. */
  readonly width: number;
  /** Steps [Σ lengths, step width] to vectors [Σ ceil(lengths / factor), width]. */
  pool(pass: Pass, steps: PackedSteps): PackedSteps;
  /** Vectors to steps of recordings of `lengths` steps, [Σ lengths, step width]. */
  unpool(pass: Pass, vectors: Variable, lengths: readonly number[]): PackedSteps;
}

function requireFactor(factor: number): void {
  if (Number.isInteger(factor) && factor >= 1 && factor <= 64) return;
  throw new UsageError(`pooling: the factor is ${factor}, expected a whole number from 1 to 64`);
}

const pooledLengths = (lengths: readonly number[], factor: number): number[] =>
  lengths.map((length) => Math.ceil(length / factor));

/** The mean of every `factor` steps of `width` numbers, which then stands for all of them. Nothing is learned. */
export function meanPooling(factor: number, width: number): Pooling {
  requireFactor(factor);
  return {
    parameters: new Map(),
    config: { pooling: factor },
    width,
    pool: (_, { x, lengths }) =>
      factor === 1
        ? { x, lengths }
        : { x: poolFrames(x, lengths, factor), lengths: pooledLengths(lengths, factor) },
    unpool: (_, vectors, lengths) => ({
      x: factor === 1 ? vectors : repeatFrames(vectors, lengths, factor),
      lengths,
    }),
  };
}

/** Rows that steps of several recordings have where each is filled up to a multiple of `factor`; null where none must be. */
function paddedRows(lengths: readonly number[], factor: number): number[] | null {
  if (lengths.every((length) => length % factor === 0)) return null;
  let from = 0;
  return lengths.flatMap((length) => {
    const first = from;
    from += length;
    const padded = Math.ceil(length / factor) * factor;
    return Array.from({ length: padded }, (_, t) => first + Math.min(t, length - 1));
  });
}

/** Steps [Σ lengths, width] as [Σ ceil(lengths / factor), factor · width]; at the end of a recording the last step counts again. */
function stackSteps(x: Variable, lengths: readonly number[], factor: number): Variable {
  const groups = pooledLengths(lengths, factor).reduce((sum, n) => sum + n, 0);
  const shape = [groups, factor * x.shape[1]!];
  const rows = paddedRows(lengths, factor);
  return rows === null ? reshape(x, shape) : gatherRows(x, rows, shape);
}

/** The way back: what stands beyond the end of a recording is left out. */
function unstackSteps(x: Variable, lengths: readonly number[], factor: number): Variable {
  const [groups, width] = x.shape as [number, number];
  const steps = reshape(x, [groups * factor, width / factor]);
  if (lengths.every((length) => length % factor === 0)) return steps;
  let from = 0;
  const rows = lengths.flatMap((length) => {
    const first = from;
    from += Math.ceil(length / factor) * factor;
    return Array.from({ length }, (_, t) => first + t);
  });
  return gatherRows(steps, rows);
}

/** Every `factor` steps one after another, as one long vector. Nothing is learned. */
export function stackedPooling(factor: number, stepWidth: number): Pooling {
  requireFactor(factor);
  return {
    parameters: new Map(),
    config: { pooling: factor, ...(factor > 1 ? { pooledBy: 'stacking' } : {}) },
    width: factor * stepWidth,
    pool: (_, { x, lengths }) => ({
      x: stackSteps(x, lengths, factor),
      lengths: pooledLengths(lengths, factor),
    }),
    unpool: (_, vectors, lengths) => ({ x: unstackSteps(vectors, lengths, factor), lengths }),
  };
}

/**
 * Rows of length 1 that are at right angles [rows, width]: the identity where there are as many as numbers, else the first of
 * a random rotation (Gram and Schmidt).
 */
function orthonormalRows(rows: number, width: number): Float64Array {
  const out = new Float64Array(rows * width);
  const normal = createNormal(createRandom(1));
  for (let r = 0; r < rows; r++) {
    const row = out.subarray(r * width, (r + 1) * width);
    if (rows === width) {
      row[r] = 1;
      continue;
    }
    for (let d = 0; d < width; d++) row[d] = normal();
    for (let b = 0; b < r; b++) {
      const before = out.subarray(b * width, (b + 1) * width);
      const shadow = before.reduce((sum, x, d) => sum + x * row[d]!, 0);
      for (let d = 0; d < width; d++) row[d]! -= shadow * before[d]!;
    }
    const length = Math.sqrt(row.reduce((sum, x) => sum + x * x, 0));
    for (let d = 0; d < width; d++) row[d]! /= length;
  }
  return out;
}

export interface LearnedPoolingOptions {
  /** Steps that become one vector. */
  readonly factor: number;
  /** Numbers of a step. */
  readonly stepWidth: number;
  /** Numbers of a vector, at most those of a step; default as many. */
  readonly width?: number;
}

/**
 * A linear map of `factor` steps, one after another, to a vector, and one back, each with a bias. At first the vector is the
 * mean of the steps (turned, and fewer numbers of it, where it has fewer), and stands for all of them. In model files they
 * are `quantizer.encode` and `quantizer.decode`. With a factor of 1 they are maps of single steps.
 */
export function learnedPooling(options: LearnedPoolingOptions): Pooling {
  const { factor, stepWidth, width = stepWidth } = options;
  requireFactor(factor);
  if (!(Number.isInteger(width) && width >= 1 && width <= stepWidth)) {
    throw new UsageError(`pooling: the width is ${width}, expected a whole number from 1 to ${stepWidth}`);
  }
  const stacked = factor * stepWidth;
  const basis = orthonormalRows(width, stepWidth);
  const encode: ParameterSpec['initialise'] = (values) => {
    for (let i = 0; i < values.length; i++) {
      const [row, column] = [Math.floor(i / stacked), i % stepWidth];
      values[i] = basis[row * stepWidth + column]! / factor;
    }
  };
  const decode: ParameterSpec['initialise'] = (values) => {
    for (let i = 0; i < values.length; i++) {
      const [row, column] = [Math.floor(i / width) % stepWidth, i % width];
      values[i] = basis[column * stepWidth + row]!;
    }
  };
  const map = (pass: Pass, name: string, x: Variable) =>
    linear(x, pass.parameter(`${name}.weight`), pass.parameter(`${name}.bias`));
  return {
    parameters: new Map([
      [`${ENCODE}.weight`, { shape: [width, stacked], initialise: encode, decay: true }],
      [`${ENCODE}.bias`, { shape: [width], initialise: all(0), decay: false }],
      [`${DECODE}.weight`, { shape: [stacked, width], initialise: decode, decay: true }],
      [`${DECODE}.bias`, { shape: [stacked], initialise: all(0), decay: false }],
    ]),
    config: { pooling: factor, ...(factor > 1 ? { pooledBy: 'stacking' } : {}), projection: width },
    width,
    pool: (pass, { x, lengths }) => ({
      x: map(pass, ENCODE, stackSteps(x, lengths, factor)),
      lengths: pooledLengths(lengths, factor),
    }),
    unpool: (pass, vectors, lengths) => ({
      x: unstackSteps(map(pass, DECODE, vectors), lengths, factor),
      lengths,
    }),
  };
}
