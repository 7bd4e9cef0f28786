/** The quantiser of a recipe: what it is made of, and its part of the loss. */
import { scalarOf, scale, scaledAdd, type Variable } from '../../autograd/index.js';
import { learnedPooling, meanPooling, type Pooling } from '../networks/pooling.js';
import { drawStages, type Quantization, TrainableQuantizer } from '../quantizer/index.js';

export interface CodingOptions {
  /** Steps that become one vector. */
  readonly pooling: number;
  readonly pooledBy: 'mean' | 'learned';
  /** Codebooks of each group, and their size. */
  readonly codebooks: number;
  readonly codewords: number;
  readonly groups?: number;
  /** Numbers of a vector with learned pooling; as many as of a step where it is left out. */
  readonly width?: number;
  /** Weight of the commitment loss (beta). */
  readonly commitment: number;
  /** Weight of the estimated bits (lambda), for each bit of a recording. */
  readonly rate: number;
  /** Weight of uneven use of codewords. */
  readonly use: number;
  /** Part of the passes that run without the quantiser, so that the network goes on working without one. */
  readonly continuous: number;
}

/** Pooling and quantiser for steps of `stepWidth` numbers. */
export function codingOf(
  options: CodingOptions | null,
  stepWidth: number,
): { readonly pooling: Pooling; readonly quantizer: TrainableQuantizer } | null {
  if (options === null) return null;
  const { pooling: factor, pooledBy, codebooks, codewords, groups = 1, width = stepWidth } = options;
  const pooling =
    pooledBy === 'mean' ? meanPooling(factor, stepWidth) : learnedPooling({ factor, stepWidth, width });
  const quantizer = new TrainableQuantizer({
    codebooks,
    codewords,
    groups,
    width: pooling.width,
    learning: 'averages',
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
