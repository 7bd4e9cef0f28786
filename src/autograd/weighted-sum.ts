import { requireShape } from '../ops/shapes.js';
import { empty, flat, type Tensor, view } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/** Σ x · weights over all elements, of one shape; one number. dx = weights. */
export function weightedSum(x: Variable, weights: Tensor): Variable {
  requireShape('weightedSum', 'weights', weights, x.shape);
  const [values, factors] = [flat(x.value), flat(weights)];
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * factors[i]!;
  return record([x], view(Float32Array.of(sum), [1]), (dy) => {
    const scale = flat(dy)[0]!;
    const dx = empty(x.shape);
    const to = flat(dx);
    for (let i = 0; i < to.length; i++) to[i] = scale * factors[i]!;
    x.accumulate(dx);
  });
}
