/** Writing safetensors; safetensors.ts says what is in a file. */
import { ShapeError, sizeOf, type TypedArray } from '../tensor/index.js';
import { ELEMENT_TYPES, type ElementType, encodeElements, typeOf } from './element-types.js';

/** What is written: the elements row after row, and their shape. */
export interface TensorData {
  readonly data: TypedArray;
  readonly shape: readonly number[];
  /**
   * How the elements are stored, where not as they are: F16 or BF16 for float32, rounded to the nearest; BOOL
   * for bytes of 0 and 1.
   */
  readonly type?: ElementType;
}

/**
 * Writes tensors, lowest `groupOf` first, so that what is read together lies together; within a group widest
 * type first, so that each is aligned. The same tensors in any order give the same bytes.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata: Readonly<Record<string, string>> = {},
  groupOf: (name: string) => number = () => 0,
): Uint8Array {
  const entries = [...tensors].map(([name, { data, shape, type = typeOf(data) }]) => {
    if (sizeOf(shape) !== data.length) {
      throw new ShapeError(
        `writeSafetensors: ${name} has ${data.length} elements for shape [${shape.join(', ')}]; ` +
          `make views contiguous first`,
      );
    }
    return { name, type, shape, bytes: encodeElements(name, data, type), group: groupOf(name) };
  });
  entries.sort((a, b) => {
    const later = a.group - b.group || ELEMENT_TYPES[b.type].bytes - ELEMENT_TYPES[a.type].bytes;
    return later !== 0 ? later : a.name < b.name ? -1 : 1;
  });
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  let size = 0;
  for (const { name, type, shape, bytes } of entries) {
    header.push([name, { dtype: type, shape, data_offsets: [size, size + bytes.length] }]);
    size += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(text.length / 8) * 8;
  const file = new Uint8Array(8 + padded + size).fill(0x20, 8, 8 + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  file.set(text, 8);
  let at = 8 + padded;
  for (const { bytes } of entries) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}
