import { requireRank } from '../ops/shapes.js';
import { contiguous, empty, flat, ShapeError } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/**
 * Sums over the first layers of x [layers, rows, width]: y[n] = Σ over l < counts[n] of x[l, n]; [rows, width]. Added up in
 * float32, first layer first.
 */
export function sumPrefix(x: Variable, counts: ArrayLike<number>): Variable {
  requireRank('sumPrefix', 'x', x.value, 3, '[layers, rows, width]');
  const [layers, rows, width] = x.shape as [number, number, number];
  if (counts.length !== rows) {
    throw new ShapeError(`sumPrefix: ${rows} rows and ${counts.length} counts: give one each`);
  }
  const y = empty([rows, width]);
  const [from, sums] = [flat(contiguous(x.value)), flat(y).fill(0)];
  for (let l = 0, at = 0; l < layers; l++) {
    for (let n = 0; n < rows; n++, at += width) {
      if (l >= counts[n]!) continue;
      for (let d = 0; d < width; d++) sums[n * width + d]! += from[at + d]!;
    }
  }
  return record([x], y, (dy) => {
    const dx = empty(x.shape);
    const [gradient, arrived] = [flat(dx), flat(dy)];
    for (let l = 0, at = 0; l < layers; l++) {
      for (let n = 0; n < rows; n++, at += width) {
        if (l >= counts[n]!) gradient.fill(0, at, at + width);
        else gradient.set(arrived.subarray(n * width, (n + 1) * width), at);
      }
    }
    x.accumulate(dx);
  });
}
