/**
 * The codewords of one stage as bytes: entropy-coded, or packed at a fixed number of bits where coding saves
 * nothing. No flag is spent on which: a packed stage has exactly `packedBytes` bytes, a coded one has fewer.
 */
import { FormatError, UsageError } from '../tensor/index.js';
import type { FrequencyTable } from './frequency-table.js';
import { RangeDecoder, RangeEncoder } from './range-coder.js';

const bitsPerCodeword = (codewords: number): number => Math.ceil(Math.log2(codewords));

/** Bytes of `count` codewords at a fixed number of bits each: what a stage costs at most. */
export const packedBytes = (count: number, codewords: number): number =>
  Math.ceil((count * bitsPerCodeword(codewords)) / 8);

/** Most significant bit first; the last byte is filled with zeros. */
function pack(indices: ArrayLike<number>, codewords: number): Uint8Array {
  const width = bitsPerCodeword(codewords);
  const bytes = new Uint8Array(packedBytes(indices.length, codewords));
  for (let i = 0, bit = 0; i < indices.length; i++) {
    for (let b = width - 1; b >= 0; b--, bit++)
      bytes[bit >> 3]! |= ((indices[i]! >> b) & 1) << (7 - (bit & 7));
  }
  return bytes;
}

function unpack(bytes: Uint8Array, count: number, codewords: number): Int32Array {
  const width = bitsPerCodeword(codewords);
  const indices = new Int32Array(count);
  for (let i = 0, bit = 0; i < count; i++) {
    for (let b = 0; b < width; b++, bit++) {
      indices[i] = (indices[i]! << 1) | ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
    }
    if (indices[i]! >= codewords) {
      throw new FormatError('entropy code', `codeword ${indices[i]} of ${codewords} does not exist`);
    }
  }
  return indices;
}

/** Bytes of a run of codewords by `table`; at most `packedBytes`. */
export function encodeStage(indices: ArrayLike<number>, table: FrequencyTable): Uint8Array {
  const encoder = new RangeEncoder();
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (!Number.isInteger(index) || index < 0 || index >= table.codewords) {
      throw new UsageError(`encodeStage: ${index} is no codeword of ${table.codewords}`);
    }
    table.encode(encoder, index);
  }
  const coded = encoder.finish();
  return coded.length < packedBytes(indices.length, table.codewords) ? coded : pack(indices, table.codewords);
}

/** The `count` codewords that `encodeStage` made into `bytes`. */
export function decodeStage(bytes: Uint8Array, count: number, table: FrequencyTable): Int32Array {
  const most = packedBytes(count, table.codewords);
  if (bytes.length > most) {
    throw new FormatError('entropy code', `${bytes.length} bytes for ${count} codewords, at most ${most}`);
  }
  if (bytes.length === most) return unpack(bytes, count, table.codewords);
  const decoder = new RangeDecoder(bytes);
  const indices = new Int32Array(count);
  for (let i = 0; i < count; i++) indices[i] = table.decode(decoder);
  return indices;
}
