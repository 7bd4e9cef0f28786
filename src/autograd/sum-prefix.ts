import { requireRank } from '../ops/shapes.js';
import { contiguous, empty, flat, ShapeError } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/**
 * Sums over the first of several layers that lie one after another, x [layers · rows, width]:
 * y[n] = Σ over l < counts[n] of x[l · rows + n]; [rows, width]. Added up in float32, first layer first.
 */
export function sumPrefix(x: Variable, counts: ArrayLike<number>): Variable {
  requireRank('sumPrefix', 'x', x.value, 2, '[layers · rows, width]');
  const [all, width] = x.shape as [number, number];
  const rows = counts.length;
  if (rows === 0 ? all !== 0 : all % rows !== 0) {
    throw new ShapeError(`sumPrefix: x has ${all} rows, no multiple of the ${rows} counts`);
  }
  const y = empty([rows, width]);
  const [from, sums] = [flat(contiguous(x.value)), flat(y).fill(0)];
  for (let i = 0; i < all; i++) {
    const n = i % rows;
    if (i >= counts[n]! * rows) continue;
    for (let d = 0; d < width; d++) sums[n * width + d]! += from[i * width + d]!;
  }
  return record([x], y, (dy) => {
    const dx = empty(x.shape);
    const [gradient, arrived] = [flat(dx), flat(dy)];
    for (let i = 0; i < all; i++) {
      const n = i % rows;
      if (i >= counts[n]! * rows) gradient.fill(0, i * width, (i + 1) * width);
      else gradient.set(arrived.subarray(n * width, (n + 1) * width), i * width);
    }
    x.accumulate(dx);
  });
}
