import { columnSums } from '../ops/elementwise.js';
import { linear as linearValue, matmul } from '../ops/matmul.js';
import { reshape, sizeOf, type Tensor } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/** X [..., n] seen as [rows, n]. */
const matrixOf = (x: Tensor): Tensor => {
  const columns = x.shape[x.shape.length - 1]!;
  return x.shape.length === 2 ? x : reshape(x, [sizeOf(x.shape.slice(0, -1)), columns]);
};

/**
 * Y = X Wᵀ + b over the last axis: X [..., in], W [out, in], b [out] or null; gives [..., out].
 *
 *   dX = dY W,  dW = dYᵀ X,  db = Σ over rows of dY
 */
export function linear(x: Variable, weight: Variable, bias: Variable | null): Variable {
  const y = linearValue(x.value, weight.value, bias?.value ?? null);
  return record([x, weight, bias], y, (dy) => {
    const rows = matrixOf(dy);
    if (x.tape) x.accumulate(reshape(matmul(rows, weight.value), x.value.shape));
    if (weight.tape) weight.accumulate(matmul(rows.transpose(1, 0), matrixOf(x.value)));
    if (bias?.tape) bias.accumulate(columnSums(rows, bias.value.shape));
  });
}
