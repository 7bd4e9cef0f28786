/**
 * The tensor is an ndarray: data, shape, stride, offset. This is the one file that imports the package.
 */
import createNdArray from 'ndarray';
import { ShapeError } from './errors.js';
import { PlainNdArray } from './plain-ndarray.js';
import type { NdArray, TypedArray } from './types.js';

export type { NdArray, TypedArray } from './types.js';

/** What layers take and give: float32, any strides on the way in. */
export type Tensor = NdArray<Float32Array>;

/** Most elements of a tensor, and the largest stride: what fits in 31 bits. */
const MOST_ELEMENTS = 2 ** 31 - 1;

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, n) => product * n, 1);

/**
 * Whole numbers of an axis as engines like them: small integers in an array of small integers. A shape that
 * was computed by division may hold them as doubles, and every kernel it reaches would then index by doubles,
 * at half the speed.
 */
function integers(values: readonly number[], least: number): number[] {
  return values.map((n) => {
    if (Number.isInteger(n) && n >= least && n <= MOST_ELEMENTS) return n | 0;
    throw new ShapeError(
      `view: [${values.join(', ')}] holds ${n}, expected whole numbers up to ${MOST_ELEMENTS}`,
    );
  });
}

/** Views `data` as `shape`, row after row where no stride is given. */
export function view<D extends TypedArray>(
  data: D,
  shape: readonly number[],
  stride?: readonly number[],
  offset = 0,
): NdArray<D> {
  if (stride === undefined && offset + sizeOf(shape) > data.length) {
    throw new ShapeError(
      `view: shape [${shape.join(', ')}] needs ${offset + sizeOf(shape)} elements, the data has ${data.length}`,
    );
  }
  const steps = stride === undefined ? rowMajor(shape) : integers(stride, -MOST_ELEMENTS);
  const extents = integers(shape, 0);
  return codeFromText()
    ? (createNdArray(data as never, extents, steps, offset) as unknown as NdArray<D>)
    : new PlainNdArray(data, extents, steps, offset);
}

/** Strides of elements row after row without gaps. */
function rowMajor(shape: readonly number[]): number[] {
  const stride = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    stride[axis] = (stride[axis + 1]! * shape[axis + 1]!) | 0;
  return stride;
}

let allowed: boolean | undefined;

/** Whether this runtime lets the package `ndarray` build its classes. */
function codeFromText(): boolean {
  if (allowed === undefined) {
    try {
      createNdArray(new Float32Array(1), [1]);
      allowed = true;
    } catch {
      allowed = false;
    }
  }
  return allowed;
}

/** One array after another, in a new one. */
export function concatenate(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const out = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A new tensor of zeros. */
export function zeros(shape: readonly number[]): Tensor {
  const size = sizeOf(shape);
  if (!(size >= 0 && size <= MOST_ELEMENTS)) {
    throw new ShapeError(`zeros: shape [${shape.join(', ')}] is more than ${MOST_ELEMENTS} elements`);
  }
  return view(new Float32Array(size), shape);
}

/** Whether the elements lie row after row without gaps. */
export function isContiguous({ shape, stride }: NdArray<TypedArray>): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** The tensor itself where it is contiguous, else a copy that is. */
export function contiguous<D extends TypedArray>(x: NdArray<D>): NdArray<D> {
  if (isContiguous(x)) return x;
  const out = view(new (x.data.constructor as new (length: number) => D)(sizeOf(x.shape)), x.shape);
  const index = new Array<number>(x.shape.length).fill(0);
  let from = x.offset;
  for (let to = 0; to < out.data.length; to++) {
    out.data[to] = x.data[from]!;
    for (let axis = x.shape.length - 1; axis >= 0; axis--) {
      from += x.stride[axis]!;
      index[axis]!++;
      if (index[axis]! < x.shape[axis]!) break;
      from -= x.stride[axis]! * x.shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}

/** The same contiguous elements under another shape. */
export function reshape(x: Tensor, shape: readonly number[]): Tensor {
  if (sizeOf(shape) !== sizeOf(x.shape)) {
    throw new ShapeError(
      `reshape: [${x.shape.join(', ')}] has not as many elements as [${shape.join(', ')}]`,
    );
  }
  const source = contiguous(x);
  return view(source.data, shape, undefined, source.offset);
}

/** Elements of a contiguous tensor as a typed array that shares its memory. */
export function flat(x: Tensor): Float32Array {
  const source = contiguous(x);
  return source.data.subarray(source.offset, source.offset + sizeOf(source.shape));
}
