/** Types of the elements of stored tensors, under the names of safetensors, and typed arrays for each. */
import { type TypedArray, UsageError } from '../tensor/index.js';
import { narrowToBfloat16, narrowToFloat16, widenBfloat16, widenFloat16 } from './half-precision.js';

export type ElementType =
  | 'F64'
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'I64'
  | 'I32'
  | 'I16'
  | 'I8'
  | 'U64'
  | 'U32'
  | 'U16'
  | 'U8'
  | 'BOOL';

/** Bytes of one element, and how elements become numbers: half precision is widened to float32. */
export const ELEMENT_TYPES: Readonly<
  Record<ElementType, { bytes: number; decode(data: Uint8Array): TypedArray }>
> = {
  F64: { bytes: 8, decode: (b) => new Float64Array(b.buffer, b.byteOffset, b.length / 8) },
  F32: { bytes: 4, decode: (b) => new Float32Array(b.buffer, b.byteOffset, b.length / 4) },
  F16: { bytes: 2, decode: widenFloat16 },
  BF16: { bytes: 2, decode: widenBfloat16 },
  I64: { bytes: 8, decode: (b) => new BigInt64Array(b.buffer, b.byteOffset, b.length / 8) },
  I32: { bytes: 4, decode: (b) => new Int32Array(b.buffer, b.byteOffset, b.length / 4) },
  I16: { bytes: 2, decode: (b) => new Int16Array(b.buffer, b.byteOffset, b.length / 2) },
  I8: { bytes: 1, decode: (b) => new Int8Array(b.buffer, b.byteOffset, b.length) },
  U64: { bytes: 8, decode: (b) => new BigUint64Array(b.buffer, b.byteOffset, b.length / 8) },
  U32: { bytes: 4, decode: (b) => new Uint32Array(b.buffer, b.byteOffset, b.length / 4) },
  U16: { bytes: 2, decode: (b) => new Uint16Array(b.buffer, b.byteOffset, b.length / 2) },
  U8: { bytes: 1, decode: (b) => new Uint8Array(b.buffer, b.byteOffset, b.length) },
  BOOL: { bytes: 1, decode: (b) => new Uint8Array(b.buffer, b.byteOffset, b.length) },
};

/** ndarray builds a constructor for each number of axes; no model has more than a handful. */
export const MOST_AXES = 16;

/** A tensor of a checkpoint, before its elements are read. */
export interface StoredTensor {
  readonly type: ElementType;
  readonly shape: readonly number[];
  /** Bytes of its elements. */
  readonly bytes: number;
}

/** Elements from their bytes, which they share where these are aligned and not of half precision. */
export function decodeElements(type: ElementType, bytes: Uint8Array): TypedArray {
  const { bytes: width, decode } = ELEMENT_TYPES[type];
  // Not slice(), which copies nothing where the bytes are a Buffer of Node's.
  return decode(bytes.byteOffset % width === 0 ? bytes : new Uint8Array(bytes));
}

/** The type that a typed array is written as where none is asked for. */
export function typeOf(data: TypedArray): ElementType {
  if (data instanceof Float64Array) return 'F64';
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof BigUint64Array) return 'U64';
  if (data instanceof Int32Array) return 'I32';
  if (data instanceof Uint32Array) return 'U32';
  if (data instanceof Int16Array) return 'I16';
  if (data instanceof Uint16Array) return 'U16';
  if (data instanceof Int8Array) return 'I8';
  return 'U8';
}

/**
 * The bytes of elements as `type`: float32 numbers also as F16 or BF16, rounded to the nearest, and bytes of 0
 * and 1 also as BOOL. Throws UsageError for any other change of type; `name` is for its message.
 */
export function encodeElements(name: string, data: TypedArray, type: ElementType): Uint8Array {
  const own = typeOf(data);
  if (type === own) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (type === 'F16' && data instanceof Float32Array) return narrowToFloat16(data);
  if (type === 'BF16' && data instanceof Float32Array) return narrowToBfloat16(data);
  if (type === 'BOOL' && data instanceof Uint8Array) {
    const wrong = data.find((x) => x > 1);
    if (wrong === undefined) return data;
    throw new UsageError(`${name}: ${wrong} is no BOOL; these are 0 and 1`);
  }
  throw new UsageError(
    `${name}: elements of type ${own} are not written as ${type}; convert them first (F16 and BF16 are ` +
      'written from a Float32Array, BOOL from a Uint8Array)',
  );
}
