/**
 * Whole-array arithmetic from the package ndarray-ops, for places where speed does not matter. This is the
 * one file that imports it, and no file on the way from samples to words imports this one: ndarray-ops
 * builds functions from text when it is loaded, which strict browsers and edge runtimes refuse.
 */
import ops from 'ndarray-ops';
import type { NdArray } from './ndarray.js';

type Tensor = NdArray<Float32Array | Float64Array>;
type Operand = Parameters<typeof ops.addeq>[0];
const operand = (x: Tensor) => x as unknown as Operand;

/** x += y. */
export const addTo = (x: Tensor, y: Tensor): void => void ops.addeq(operand(x), operand(y));

/** x *= factor. */
export const scaleBy = (x: Tensor, factor: number): void => void ops.mulseq(operand(x), factor);

/** x = y. */
export const assignTo = (x: Tensor, y: Tensor): void => void ops.assign(operand(x), operand(y));

export interface Summary {
  readonly smallest: number;
  readonly largest: number;
  readonly mean: number;
  /** Root of the mean square. */
  readonly rms: number;
}

/** Range, mean and size of the elements of a tensor that has some. */
export function summarize(x: Tensor): Summary {
  const count = x.size;
  return {
    smallest: ops.inf(operand(x)),
    largest: ops.sup(operand(x)),
    mean: ops.sum(operand(x)) / count,
    rms: Math.sqrt(ops.norm2squared(operand(x)) / count),
  };
}
