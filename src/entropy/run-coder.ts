/**
 * A run: the codewords of vectors as bytes, vector after vector and in each stage after stage; by a model of what they
 * will be, or packed at a fixed number of bits where that is not longer. No flag is spent on which: a packed run has exactly
 * `packedBytes` bytes, a coded one has fewer.
 */
import { FormatError, UsageError } from '../tensor/index.js';
import { RangeDecoder, RangeEncoder } from './range-coder.js';

/** Codewords of a run before they are bytes. */
export interface Run {
  /** [vectors · stages], vector after vector. */
  readonly indices: Int32Array;
  readonly stages: number;
}

/** How probable codewords are. It begins anew with every run, so that runs can be lost. */
export interface CodewordModel {
  readonly codewords: number;
  /** Stages that it knows; a run may have fewer. */
  readonly stages: number;
  encode(run: Run, encoder: RangeEncoder): void;
  /** Fills `indices`. Throws FormatError where the message is none of this model. */
  decode(run: Run, decoder: RangeDecoder): void;
}

const bitsPerCodeword = (codewords: number): number => Math.ceil(Math.log2(codewords));

/** Bytes of `count` codewords at a fixed number of bits each: what a run costs at most. */
export const packedBytes = (count: number, codewords: number): number =>
  Math.ceil((count * bitsPerCodeword(codewords)) / 8);

/** Most significant bit first; the last byte is filled with zeros. */
function pack(indices: Int32Array, codewords: number): Uint8Array {
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

/** Throws UsageError where so many vectors and stages make no sense. */
function requireVectors(vectors: number, stages: number, { stages: most }: CodewordModel): void {
  if (Number.isInteger(stages) && stages >= 1 && stages <= most && Number.isInteger(vectors) && vectors >= 0)
    return;
  throw new UsageError(
    `entropy code: ${vectors} vectors of ${stages} stages; expected whole numbers, and from 1 to ${most} stages`,
  );
}

function requireCodewords({ indices }: Run, codewords: number): void {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i]!;
    if (index < 0 || index >= codewords)
      throw new UsageError(`entropy code: ${index} is no codeword of ${codewords}`);
  }
}

/**
 * Bytes of a run, at most `packedBytes` of its codewords; `packed`: all runs are. Throws UsageError for codewords that do not
 * exist.
 */
export function encodeRun(run: Run, model: CodewordModel, packed = false): Uint8Array {
  requireVectors(run.indices.length / run.stages, run.stages, model);
  requireCodewords(run, model.codewords);
  if (!packed) {
    const encoder = new RangeEncoder();
    model.encode(run, encoder);
    const coded = encoder.finish();
    if (coded.length < packedBytes(run.indices.length, model.codewords)) return coded;
  }
  return pack(run.indices, model.codewords);
}

/**
 * The codewords [vectors · stages] that `encodeRun` made into `bytes`. Throws FormatError where it made no such bytes of so
 * many codewords.
 */
export function decodeRun(
  bytes: Uint8Array,
  vectors: number,
  stages: number,
  model: CodewordModel,
  packed = false,
): Int32Array {
  requireVectors(vectors, stages, model);
  const count = vectors * stages;
  const most = packedBytes(count, model.codewords);
  if (bytes.length > most || (packed && bytes.length < most)) {
    const expected = packed ? `${most}` : `at most ${most}`;
    throw new FormatError(
      'entropy code',
      `${bytes.length} bytes for ${count} codewords, expected ${expected}`,
    );
  }
  if (bytes.length === most) return unpack(bytes, count, model.codewords);
  const run = { indices: new Int32Array(count), stages };
  model.decode(run, new RangeDecoder(bytes));
  return run.indices;
}
