/** What moves parameters: on flat arrays that hold all of them, one after another. Nothing here is noted on a tape. */
import type { AdamWStep } from '../../kernels/optimizer/reference.js';
import { adamwVariants, movingAverageVariants } from '../../kernels/optimizer/variants.js';
import { sumOfSquaresVariants } from '../../kernels/reductions/variants.js';
import { ShapeError } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';

export type { AdamWStep } from '../../kernels/optimizer/reference.js';

/** What a step of AdamW reads and writes; all of one length. */
export interface AdamWState {
  readonly parameters: Float32Array;
  readonly gradient: Float32Array;
  /** Mean of gradients. */
  readonly first: Float32Array;
  /** Mean of their squares. */
  readonly second: Float32Array;
}

function requireLength(operation: string, name: string, x: Float32Array, length: number): void {
  if (x.length === length) return;
  throw new ShapeError(
    `${operation}: ${name} has ${x.length} numbers, the parameters ${length}: use one each`,
  );
}

/**
 * Moves parameters `from` to `to` (not included; default: all) and their means by one step, in place:
 *
 *   first += (1 - β₁) (g - first),  second += (1 - β₂) (g² - second),  g = gradient · gradientFactor
 *   parameters = parameters (1 - rate · decay) - rate · unbias1 · first / (√(unbias2 · second) + ε)
 */
export function adamw(
  { parameters, gradient, first, second }: AdamWState,
  step: AdamWStep,
  from = 0,
  to = parameters.length,
): void {
  requireLength('adamw', 'gradient', gradient, parameters.length);
  requireLength('adamw', 'first', first, parameters.length);
  requireLength('adamw', 'second', second, parameters.length);
  if (!(from >= 0 && from <= to && to <= parameters.length)) {
    throw new ShapeError(`adamw: parameters ${from} to ${to} of ${parameters.length}`);
  }
  const run = kernelOf(adamwVariants);
  run(to - from, step, parameters, from, first, from, second, from, gradient, from);
}

/** average += share (x - average), in place. */
export function moveAverage(average: Float32Array, x: Float32Array, share: number): void {
  requireLength('moveAverage', 'x', x, average.length);
  kernelOf(movingAverageVariants)(average.length, share, x, 0, average, 0);
}

/** Σ of the squares, in float64: of a gradient, by which it is clipped. */
export const squaredNorm = (x: Float32Array): number => kernelOf(sumOfSquaresVariants)(x.length, x, 0);
