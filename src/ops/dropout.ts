import { dropoutVariants } from '../../kernels/dropout/variants.js';
import { empty, type Tensor, UsageError } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { elementsOf } from './shapes.js';

/**
 * x / (1 - rate) with a share of about `rate` of the elements 0 instead: which, seed (a 32-bit integer) and index decide.
 * The same everywhere.
 */
export function dropout(x: Tensor, rate: number, seed: number): Tensor {
  if (!(rate >= 0 && rate < 1)) {
    throw new UsageError(`dropout: rate is ${rate}; use a number from 0 on and below 1`);
  }
  const elements = elementsOf('dropout', 'x', x);
  const y = empty(x.shape);
  kernelOf(dropoutVariants)(elements.length, rate, seed, elements, 0, y.data, y.offset);
  return y;
}
