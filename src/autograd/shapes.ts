/** Gradients of what only moves numbers: other shapes, rows put together and taken apart. */
import { describeShape, requireShape } from '../ops/shapes.js';
import {
  contiguous,
  empty,
  flat,
  reshape as reshapeValue,
  ShapeError,
  sizeOf,
  type Tensor,
  view,
} from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/** The same elements under another shape; the memory is shared. */
export const reshape = (x: Variable, shape: readonly number[]): Variable =>
  record([x], reshapeValue(x.value, shape), (dy) => x.accumulate(reshapeValue(dy, x.shape), 'shared'));

/** Rows `from` to `to` of a tensor, in the same memory. */
function rowsOf(x: Tensor, from: number, to: number): Tensor {
  const { data, shape, offset } = contiguous(x);
  const width = sizeOf(shape.slice(1));
  return view(data, [to - from, ...shape.slice(1)], undefined, offset + from * width);
}

/** Parts [n, ...] one below the other, all but the first axis alike. Each part's gradient is its rows of dy. */
export function concatRows(parts: readonly Variable[]): Variable {
  const [first] = parts;
  if (first === undefined) throw new ShapeError('concatRows: there are no parts; give at least one');
  if (parts.length === 1) return first;
  const inner = first.shape.slice(1);
  const rows = parts.map(({ shape }) => shape[0] ?? 0);
  const y = empty([rows.reduce((sum, n) => sum + n, 0), ...inner]);
  const starts: number[] = [];
  let at = 0;
  parts.forEach(({ value }, p) => {
    requireShape('concatRows', `part ${p}`, value, [rows[p]!, ...inner]);
    starts.push(at);
    y.data.set(flat(value), y.offset + at * sizeOf(inner));
    at += rows[p]!;
  });
  return record(parts, y, (dy) => {
    parts.forEach((part, p) => {
      part.accumulate(rowsOf(dy, starts[p]!, starts[p]! + rows[p]!), 'shared');
    });
  });
}

/** Rows `from` to `to` (not included) of x [rows, ...], in its memory. dx is dy there and 0 elsewhere. */
export function sliceRows(x: Variable, from: number, to: number): Variable {
  const rows = x.shape[0] ?? 0;
  if (!(Number.isInteger(from) && Number.isInteger(to) && from >= 0 && from <= to && to <= rows)) {
    throw new ShapeError(`sliceRows: rows ${from} to ${to} of x ${describeShape(x.shape)}`);
  }
  return record([x], rowsOf(x.value, from, to), (dy) => {
    const dx = empty(x.shape);
    const width = sizeOf(x.shape.slice(1));
    flat(dx).fill(0, 0, from * width);
    flat(dx).set(flat(dy), from * width);
    flat(dx).fill(0, to * width);
    x.accumulate(dx);
  });
}

/**
 * x [Σ lengths, ...] taken apart: `lengths[n]` rows each, in its memory. Their gradients go into one tensor, where as many
 * calls of `sliceRows` would make one of the size of x for each part and add them up.
 */
export function splitRows(x: Variable, lengths: readonly number[]): Variable[] {
  const total = lengths.reduce((sum, n) => sum + n, 0);
  if (total !== (x.shape[0] ?? 0) || !lengths.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ShapeError(
      `splitRows: lengths ${lengths.join(' + ')} do not add up to the rows of x ${describeShape(x.shape)}`,
    );
  }
  // Noted before the parts, so walked after them, when all have left their rows of dx.
  let dx: Tensor | null = null;
  const whole = record([x], contiguous(x.value), (dy) => x.accumulate(dy));
  let at = 0;
  return lengths.map((length) => {
    const from = at;
    at += length;
    return record([whole], rowsOf(whole.value, from, from + length), (dy) => {
      if (dx === null) {
        dx = empty(x.shape);
        // What no part asks for gets 0.
        flat(dx).fill(0);
        whole.accumulate(dx);
      }
      flat(dx).set(flat(dy), from * sizeOf(x.shape.slice(1)));
    });
  });
}
