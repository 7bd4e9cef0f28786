import { columnSums } from '../ops/elementwise.js';
import { requireLengths } from '../ops/recordings.js';
import { requireRank } from '../ops/shapes.js';
import { contiguous, empty, flat, type Tensor, view } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/** Row `row` of a contiguous matrix. */
const rowOf = ({ data, offset, shape }: Tensor, row: number): Float32Array =>
  data.subarray(offset + row * shape[1]!, offset + (row + 1) * shape[1]!);

/**
 * The mean over the time steps of each recording: x [Σ lengths, n] gives [recordings, n]. dx = dy / length for each step.
 */
export function meanOverTime(x: Variable, lengths: readonly number[]): Variable {
  requireRank('meanOverTime', 'x', x.value, 2, '[Σ steps, features]');
  requireLengths('meanOverTime', x.value, lengths);
  const columns = x.shape[1]!;
  const input = contiguous(x.value);
  const y = empty([lengths.length, columns]);
  let start = 0;
  lengths.forEach((steps, n) => {
    const rows = view(input.data, [steps, columns], undefined, input.offset + start * columns);
    rowOf(y, n).set(flat(columnSums(rows, [columns])).map((sum) => sum / steps));
    start += steps;
  });
  return record([x], y, (dy) => {
    const dx = empty(x.shape);
    let step = 0;
    lengths.forEach((steps, n) => {
      const share = rowOf(dy, n).map((value) => value / steps);
      for (let i = 0; i < steps; i++) rowOf(dx, step++).set(share);
    });
    x.accumulate(dx);
  });
}
