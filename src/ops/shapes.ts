/** Shape checks of operations, with messages that name the operation, the tensors and the remedy. */
import { contiguous, flat, isContiguous, ShapeError, sizeOf, type Tensor } from '../tensor/index.js';

export const describeShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

/**
 * Throws where a tensor's shape holds what is no size, or where its memory does not reach to its last element:
 * it was made by hand, or its buffer was given to another thread.
 */
export function requireMemory(operation: string, name: string, x: Tensor): void {
  let first = x.offset;
  let last = x.offset;
  for (let axis = 0; axis < x.shape.length; axis++) {
    const n = x.shape[axis]!;
    if (!(Number.isInteger(n) && n >= 0)) {
      throw new ShapeError(`${operation}: ${name} has shape ${describeShape(x.shape)}, which holds ${n}`);
    }
    // no elements, so nothing to reach
    if (n === 0) return;
    const reach = (n - 1) * (x.stride[axis] ?? Number.NaN);
    if (reach < 0) first += reach;
    else last += reach;
  }
  if (first >= 0 && last < x.data.length) return;
  const why = x.data.byteLength === 0 ? 'its memory was detached' : `its data has ${x.data.length}`;
  throw new ShapeError(
    `${operation}: ${name} ${describeShape(x.shape)} reaches elements ${first} to ${last}, but ${why}`,
  );
}

export function requireShape(operation: string, name: string, x: Tensor, shape: readonly number[]): void {
  requireMemory(operation, name, x);
  if (x.shape.length === shape.length && x.shape.every((n, axis) => n === shape[axis])) return;
  throw new ShapeError(
    `${operation}: ${name} has shape ${describeShape(x.shape)}, expected ${describeShape(shape)}`,
  );
}

export function requireRank(operation: string, name: string, x: Tensor, rank: number, axes: string): void {
  requireMemory(operation, name, x);
  if (x.shape.length === rank) return;
  throw new ShapeError(
    `${operation}: ${name} has shape ${describeShape(x.shape)}, expected ${rank} axes ${axes}`,
  );
}

/** A tensor as rows of its last axis: [..., columns] seen as [rows, columns]. */
export interface Rows {
  readonly data: Float32Array;
  readonly offset: number;
  readonly rowStride: number;
  readonly rows: number;
  readonly columns: number;
}

/** Views `x` as rows of its last axis; copies only where no row stride can express its strides. */
export function rowsOf(operation: string, name: string, x: Tensor): Rows {
  requireMemory(operation, name, x);
  const rank = x.shape.length;
  if (rank === 0) throw new ShapeError(`${operation}: ${name} is a scalar, expected at least one axis`);
  const columns = x.shape[rank - 1]!;
  const rows = sizeOf(x.shape.slice(0, -1));
  const plainMatrix = rank === 2 && (columns === 1 || x.stride[1] === 1);
  if (plainMatrix) return { data: x.data, offset: x.offset, rowStride: x.stride[0]!, rows, columns };
  const source = isContiguous(x) ? x : contiguous(x);
  return { data: source.data, offset: source.offset, rowStride: columns, rows, columns };
}

/** The elements of a vector of `length` numbers without gaps. */
export function vectorOf(
  operation: string,
  name: string,
  x: Tensor,
  length: number,
): { readonly data: Float32Array; readonly offset: number } {
  requireMemory(operation, name, x);
  if (sizeOf(x.shape) !== length) {
    throw new ShapeError(
      `${operation}: ${name} has shape ${describeShape(x.shape)}, expected ${length} elements`,
    );
  }
  return contiguous(x);
}

/** The elements of a tensor one after another, copied only where they do not lie so. */
export function elementsOf(operation: string, name: string, x: Tensor): Float32Array {
  requireMemory(operation, name, x);
  return flat(x);
}
