import { scaledAdd as scaledAddValue } from '../ops/elementwise.js';
import { scale } from '../ops/products.js';
import { record, type Variable } from './tape.js';

/** x + factor · z, of one shape. dx = dy, dz = factor · dy. */
export function scaledAdd(x: Variable, factor: number, z: Variable): Variable {
  return record([x, z], scaledAddValue(x.value, factor, z.value), (dy) => {
    x.accumulate(dy, 'shared');
    if (z.tape === null) return;
    if (factor === 1) z.accumulate(dy, 'shared');
    else z.accumulate(scale(dy, factor));
  });
}

/** x + z, of one shape. */
export const add = (x: Variable, z: Variable): Variable => scaledAdd(x, 1, z);
