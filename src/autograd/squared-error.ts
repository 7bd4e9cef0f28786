import { scaledAdd } from '../ops/elementwise.js';
import { requireShape } from '../ops/shapes.js';
import { empty, flat, ShapeError, type Tensor, view } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/**
 * Σ over rows of weights[n] · |x[n] - y[n]|², of x and y [rows, width]; one number.
 *
 *   dx[n] = 2 weights[n] (x[n] - y[n]),  dy = -dx
 */
export function squaredError(x: Variable, y: Variable, weights: ArrayLike<number>): Variable {
  requireShape('squaredError', 'y', y.value, x.shape);
  const [rows, width] = x.shape as [number, number];
  if (x.shape.length !== 2 || weights.length !== rows) {
    throw new ShapeError(
      `squaredError: x has shape [${x.shape.join(', ')}] with ${weights.length} weights, expected [rows, width] and ` +
        'a weight for each row',
    );
  }
  const difference = scaledAdd(x.value, -1, y.value);
  const e = flat(difference);
  let sum = 0;
  for (let n = 0; n < rows; n++) {
    let row = 0;
    for (let at = n * width; at < (n + 1) * width; at++) row += e[at]! * e[at]!;
    sum += weights[n]! * row;
  }
  return record([x, y], view(Float32Array.of(sum), [1]), (dloss) => {
    const scaled = (scale: number): Tensor => {
      const gradient = empty(x.shape);
      const to = flat(gradient);
      for (let n = 0; n < rows; n++) {
        const factor = 2 * scale * weights[n]!;
        for (let at = n * width; at < (n + 1) * width; at++) to[at] = factor * e[at]!;
      }
      return gradient;
    };
    const scale = flat(dloss)[0]!;
    if (x.tape) x.accumulate(scaled(scale));
    if (y.tape) y.accumulate(scaled(-scale));
  });
}
