import { multiply, scale as scaleValue } from '../ops/products.js';
import { sum as sumValue } from '../ops/reductions.js';
import { empty, flat, type Tensor } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/** factor · x. dx = factor · dy. */
export const scale = (x: Variable, factor: number): Variable =>
  record([x], scaleValue(x.value, factor), (dy) => x.accumulate(scaleValue(dy, factor)));

/** x · mask element by element, of one shape; the mask is no variable. dx = dy · mask. */
export const multiplyConstant = (x: Variable, mask: Tensor): Variable =>
  record([x], multiply(x.value, mask), (dy) => x.accumulate(multiply(dy, mask)));

/** Σ of all elements, one number [1]; added in float64. dx = dy in every element. */
export function sum(x: Variable): Variable {
  const total = empty([1]);
  flat(total)[0] = sumValue(x.value);
  return record([x], total, (dy) => {
    const dx = empty(x.shape);
    flat(dx).fill(flat(dy)[0]!);
    x.accumulate(dx);
  });
}
