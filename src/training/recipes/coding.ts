/** The quantiser of a recipe: what it is made of, and its part of the loss. */
import { scalarOf, scale, scaledAdd, type Variable } from '../../autograd/index.js';
import type { QuantizerConfig } from '../../codec/index.js';
import { learnedPooling, meanPooling, type Pooling, stackedPooling } from '../networks/pooling.js';
import { drawStages, type Quantization, TrainableQuantizer } from '../quantizer/index.js';

export interface CodingOptions {
  /** Layers on the device. */
  readonly splitLayer: number;
  /** Steps that become one vector. */
  readonly pooling: number;
  /** Their mean, a learned map of them one after another, or all of them one after another as they are. */
  readonly pooledBy: 'mean' | 'learned' | 'stacked';
  /** Codebooks of each group, and their size. */
  readonly codebooks: number;
  readonly codewords: number;
  readonly groups?: number;
  /** Numbers of a vector with learned pooling; as many as of a step where it is left out. */
  readonly width?: number;
  /** What moves codewords: the vectors that choose them, by averages; or the task's loss, with everything else. Default averages. */
  readonly learning?: 'averages' | 'task';
  /** Weight of the commitment loss (beta). */
  readonly commitment: number;
  /** Weight of the estimated bits (lambda), for each bit of a recording. */
  readonly rate: number;
  /** Weight of uneven use of codewords. */
  readonly use: number;
  /** Part of the passes that run without the quantiser, so that the network goes on working without one. */
  readonly continuous: number;
}

function poolingOf(options: CodingOptions, stepWidth: number): Pooling {
  const { pooling: factor, pooledBy, width = stepWidth } = options;
  if (pooledBy === 'mean') return meanPooling(factor, stepWidth);
  if (pooledBy === 'stacked') return stackedPooling(factor, stepWidth);
  return learnedPooling({ factor, stepWidth, width });
}

/** What the configuration of a codec model says of all this; `defaultCodebooks`: where an encoder is not told. */
export function quantizerConfig(
  options: CodingOptions,
  stepWidth: number,
  defaultCodebooks = options.codebooks,
): QuantizerConfig {
  const { codebooks, codewords, groups } = options;
  return {
    ...poolingOf(options, stepWidth).config,
    codebooks,
    codewords,
    ...(groups === undefined ? {} : { groups }),
    defaultCodebooks,
  };
}

/** Pooling and quantiser for steps of `stepWidth` numbers. */
export function codingOf(
  options: CodingOptions | null,
  stepWidth: number,
): { readonly pooling: Pooling; readonly quantizer: TrainableQuantizer } | null {
  if (options === null) return null;
  const { codebooks, codewords, groups = 1, learning = 'averages' } = options;
  const pooling = poolingOf(options, stepWidth);
  const quantizer = new TrainableQuantizer({
    codebooks,
    codewords,
    groups,
    width: pooling.width,
    ...(learning === 'task'
      ? { learning: 'gradient', taskGradient: true, reviveBelow: 0 }
      : { learning: 'averages' }),
  });
  return { pooling, quantizer };
}

/** Codebooks that each recording of a pass uses, each number alike; null for a pass without the quantiser. */
export const drawCodebooks = (
  { codebooks, continuous }: CodingOptions,
  recordings: number,
  random: () => number,
): number[] | null =>
  random() < continuous ? null : drawStages(recordings, codebooks, { probability: 1 }, random);

/** The quantiser's losses, summed over recordings. */
export function codingLoss(
  { commitment, rate, use }: CodingOptions,
  quantization: Quantization,
): { readonly loss: Variable; readonly metrics: Readonly<Record<string, number>> } {
  const distance = quantization.commitment();
  let loss = scale(distance, commitment);
  if (rate > 0) loss = scaledAdd(loss, rate, quantization.rate());
  if (use > 0) loss = scaledAdd(loss, use, quantization.use());
  const bits = quantization.bits().reduce((sum, each) => sum + each, 0);
  return { loss, metrics: { commitment: scalarOf(distance), bits } };
}
