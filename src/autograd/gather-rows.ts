import { describeShape } from '../ops/shapes.js';
import { contiguous, empty, reshape, ShapeError, sizeOf, UsageError } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/**
 * Rows of a table [..., width], which is seen as [rows, width], by their numbers: [rows.length, width], or the same elements
 * under `shapeOfRows`. A row that is named several times gets the sum of all its gradients.
 */
export function gatherRows(
  table: Variable,
  rows: ArrayLike<number>,
  shapeOfRows?: readonly number[],
): Variable {
  const { shape } = table;
  const width = shape[shape.length - 1];
  if (width === undefined || shape.length < 2) {
    throw new ShapeError(`gatherRows: the table has shape ${describeShape(shape)}, expected [..., width]`);
  }
  const available = sizeOf(shape.slice(0, -1));
  const { data, offset } = contiguous(table.value);
  const y = empty([rows.length, width]);
  for (let n = 0; n < rows.length; n++) {
    const row = rows[n]!;
    if (!(row >= 0 && row < available)) {
      throw new UsageError(`gatherRows: row ${row} is none of the table's ${available}`);
    }
    const from = offset + row * width;
    y.data.set(data.subarray(from, from + width), y.offset + n * width);
  }
  return record([table], shapeOfRows === undefined ? y : reshape(y, shapeOfRows), (dy) => {
    const dx = empty(shape);
    const sums = dx.data.subarray(dx.offset, dx.offset + available * width).fill(0);
    for (let n = 0; n < rows.length; n++) {
      const [to, from] = [rows[n]! * width, dy.offset + n * width];
      for (let d = 0; d < width; d++) sums[to + d]! += dy.data[from + d]!;
    }
    table.accumulate(dx);
  });
}
