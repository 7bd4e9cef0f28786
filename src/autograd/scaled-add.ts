import { scaledAdd as scaledAddValue } from '../ops/elementwise.js';
import { empty, type Tensor } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/** scale · x. */
function scaled(x: Tensor, scale: number): Tensor {
  const y = empty(x.shape);
  for (let i = 0; i < y.data.length; i++) y.data[y.offset + i] = scale * x.data[x.offset + i]!;
  return y;
}

/** x + scale · z, of one shape. dx = dy, dz = scale · dy. */
export function scaledAdd(x: Variable, scale: number, z: Variable): Variable {
  return record([x, z], scaledAddValue(x.value, scale, z.value), (dy) => {
    x.accumulate(dy, 'shared');
    if (z.tape === null) return;
    if (scale === 1) z.accumulate(dy, 'shared');
    else z.accumulate(scaled(dy, scale));
  });
}
