/**
 * Safetensors in and out: an 8-byte length, a JSON header of names, types, shapes and byte ranges, then the
 * data. Reading is lazy: the header says where each tensor lies, and only tensors that are asked for are
 * read, without a copy where the bytes are in memory and aligned. Nothing in a file is trusted: every size is
 * checked against the bytes that are there before anything is allocated.
 *
 * Format: https://huggingface.co/docs/safetensors
 */
import { FormatError, type NdArray, ShapeError, sizeOf, type TypedArray, view } from '../tensor/index.js';
import type { ByteSource } from './byte-source.js';

export type SafetensorsType =
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
const TYPES: Readonly<Record<SafetensorsType, { bytes: number; decode(data: Uint8Array): TypedArray }>> = {
  F64: { bytes: 8, decode: (b) => new Float64Array(b.buffer, b.byteOffset, b.length / 8) },
  F32: { bytes: 4, decode: (b) => new Float32Array(b.buffer, b.byteOffset, b.length / 4) },
  F16: { bytes: 2, decode: (b) => widen(b, float16ToNumber) },
  BF16: { bytes: 2, decode: (b) => widen(b, bfloat16ToNumber) },
  I64: { bytes: 8, decode: (b) => new BigInt64Array(b.buffer, b.byteOffset, b.length / 8) },
  I32: { bytes: 4, decode: (b) => new Int32Array(b.buffer, b.byteOffset, b.length / 4) },
  I16: { bytes: 2, decode: (b) => new Int16Array(b.buffer, b.byteOffset, b.length / 2) },
  I8: { bytes: 1, decode: (b) => new Int8Array(b.buffer, b.byteOffset, b.length) },
  U64: { bytes: 8, decode: (b) => new BigUint64Array(b.buffer, b.byteOffset, b.length / 8) },
  U32: { bytes: 4, decode: (b) => new Uint32Array(b.buffer, b.byteOffset, b.length / 4) },
  U16: { bytes: 2, decode: (b) => new Uint16Array(b.buffer, b.byteOffset, b.length / 2) },
  U8: { bytes: 1, decode: (b) => b },
  BOOL: { bytes: 1, decode: (b) => b },
};

/** Longest header that is read; the reference implementation has the same bound. */
const MOST_HEADER_BYTES = 100_000_000;
/** ndarray builds a constructor for each number of axes; no model has more than a handful. */
const MOST_AXES = 16;

function widen(bytes: Uint8Array, toNumber: (half: number) => number): Float32Array {
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  const out = new Float32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = toNumber(halves[i]!);
  return out;
}

/** IEEE 754 half precision: 1 sign, 5 exponent, 10 fraction bits. */
function float16ToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const wordBits = new Uint32Array(1);
const wordFloat = new Float32Array(wordBits.buffer);

/** bfloat16 is the upper half of a float32. */
function bfloat16ToNumber(half: number): number {
  wordBits[0] = half << 16;
  return wordFloat[0]!;
}

/** Where one tensor lies; `begin` and `end` count from the start of the file. */
export interface TensorEntry {
  readonly name: string;
  readonly type: SafetensorsType;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

const fail = (message: string, offset?: number): never => {
  throw new FormatError('safetensors', message, offset);
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

function parseEntry(name: string, value: unknown, dataStart: number, fileSize: number): TensorEntry {
  if (!isRecord(value)) return fail(`the entry of tensor ${JSON.stringify(name)} is no object`);
  const { dtype, shape, data_offsets: offsets } = value;
  const what = `tensor ${JSON.stringify(name)}`;
  if (typeof dtype !== 'string' || !Object.hasOwn(TYPES, dtype)) {
    return fail(`${what} has type ${JSON.stringify(dtype)}; known are ${Object.keys(TYPES).join(', ')}`);
  }
  const type = dtype as SafetensorsType;
  if (!Array.isArray(shape) || !shape.every(isCount)) return fail(`${what} has no shape of whole numbers`);
  if (shape.length > MOST_AXES)
    return fail(`${what} has ${shape.length} axes, at most ${MOST_AXES} are read`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`${what} has no byte range of two whole numbers`);
  }
  const [from, to] = offsets as [number, number];
  const begin = dataStart + from;
  const end = dataStart + to;
  if (from > to) return fail(`${what} ends before it begins: bytes ${from} to ${to}`);
  if (end > fileSize)
    return fail(`${what} ends at byte ${end} of a file of ${fileSize}: the file is cut short`);
  const bytes = sizeOf(shape) * TYPES[type].bytes;
  if (bytes !== to - from) {
    return fail(
      `${what} of shape [${shape.join(', ')}] and type ${type} needs ${bytes} bytes, has ${to - from}`,
    );
  }
  return { name, type, shape, begin, end };
}

/** Checks that the tensors tile the data: none overlaps another, nothing is left over. */
function requireTiling(tensors: Iterable<TensorEntry>, dataStart: number, fileSize: number): void {
  let at = dataStart;
  for (const { name, begin, end } of [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at) {
      fail(`tensor ${JSON.stringify(name)} begins at byte ${begin}, the one before it ends at ${at}`, begin);
    }
    at = end;
  }
  if (at !== fileSize) fail(`the tensors end at byte ${at} of a file of ${fileSize}`, at);
}

function parseHeader(json: Uint8Array, fileSize: number): SafetensorsHeader {
  const dataStart = 8 + json.length;
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json));
  } catch (cause) {
    return fail(`the header is no JSON: ${cause instanceof Error ? cause.message : String(cause)}`, 8);
  }
  if (!isRecord(parsed)) return fail('the header is no JSON object', 8);
  const metadata = new Map<string, string>();
  const tensors = new Map<string, TensorEntry>();
  for (const [name, value] of Object.entries(parsed)) {
    if (name !== '__metadata__') {
      tensors.set(name, parseEntry(name, value, dataStart, fileSize));
      continue;
    }
    if (!isRecord(value)) return fail('__metadata__ is no object', 8);
    for (const [key, text] of Object.entries(value)) {
      if (typeof text !== 'string') return fail(`__metadata__ ${JSON.stringify(key)} is no string`, 8);
      metadata.set(key, text);
    }
  }
  requireTiling(tensors.values(), dataStart, fileSize);
  return { metadata, tensors };
}

function headerLength(prefix: Uint8Array, fileSize: number): number {
  if (prefix.length < 8) return fail(`a file of ${fileSize} bytes has no room for the header's length`);
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(Math.min(MOST_HEADER_BYTES, fileSize - 8))) {
    return fail(`the header claims ${length} bytes, the file has ${fileSize - 8} after its length`, 0);
  }
  return Number(length);
}

/** The elements of one tensor from its bytes; copies only where they are not aligned. */
function decodeTensor({ type, shape }: TensorEntry, bytes: Uint8Array): NdArray<TypedArray> {
  const { bytes: width, decode } = TYPES[type];
  return view(decode(bytes.byteOffset % width === 0 ? bytes : bytes.slice()), shape);
}

/** An open safetensors file. */
export interface SafetensorsFile extends SafetensorsHeader {
  /** Reads one tensor; throws FormatError where there is none of that name. */
  read(name: string): Promise<NdArray<TypedArray>>;
  /** Reads several tensors, neighbours at once: from a server, every read is a request. */
  readAll(names: readonly string[]): Promise<Map<string, NdArray<TypedArray>>>;
}

/** Bytes between two tensors that are read along: a request more would take longer. */
const MOST_GAP = 1 << 16;
/** Bytes of one read, where a single tensor is not larger: a broken connection costs no more. */
const MOST_READ = 1 << 24;

/** Tensors in the order of the file, those together that are read at once. */
function runsOf(entries: readonly TensorEntry[]): TensorEntry[][] {
  const runs: TensorEntry[][] = [];
  let [begin, end] = [0, Number.NEGATIVE_INFINITY];
  for (const entry of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (entry.begin - end > MOST_GAP || entry.end - begin > MOST_READ) {
      runs.push([]);
      begin = entry.begin;
    }
    runs[runs.length - 1]!.push(entry);
    end = entry.end;
  }
  return runs;
}

/** Reads the header of a file; tensors are read when they are asked for. */
export async function openSafetensors(source: ByteSource): Promise<SafetensorsFile> {
  const length = headerLength(await source.read(0, 8), source.size);
  const header = parseHeader(await source.read(8, length), source.size);
  const readAll = async (names: readonly string[]): Promise<Map<string, NdArray<TypedArray>>> => {
    const entries = names.map(
      (name) => header.tensors.get(name) ?? fail(`there is no tensor ${JSON.stringify(name)}`),
    );
    const tensors = new Map<string, NdArray<TypedArray>>();
    for (const run of runsOf(entries)) {
      const begin = run[0]!.begin;
      const end = run[run.length - 1]!.end;
      const bytes = await source.read(begin, end - begin);
      if (bytes.length !== end - begin) fail(`${source.name} ends before its tensors`, begin + bytes.length);
      for (const entry of run) {
        tensors.set(entry.name, decodeTensor(entry, bytes.subarray(entry.begin - begin, entry.end - begin)));
      }
    }
    return tensors;
  };
  return { ...header, readAll, read: async (name) => (await readAll([name])).get(name)! };
}

/** All tensors of a file that is in memory. */
export function readSafetensors(bytes: Uint8Array): {
  readonly metadata: ReadonlyMap<string, string>;
  readonly tensors: Map<string, NdArray<TypedArray>>;
} {
  const length = headerLength(bytes.subarray(0, 8), bytes.length);
  const header = parseHeader(bytes.subarray(8, 8 + length), bytes.length);
  const tensors = new Map<string, NdArray<TypedArray>>();
  for (const entry of header.tensors.values()) {
    tensors.set(entry.name, decodeTensor(entry, bytes.subarray(entry.begin, entry.end)));
  }
  return { metadata: header.metadata, tensors };
}

function typeOf(data: TypedArray): SafetensorsType {
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

/** What is written: the elements row after row, and their shape. */
export interface TensorData {
  readonly data: TypedArray;
  readonly shape: readonly number[];
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
  const entries = [...tensors].map(([name, { data, shape }]) => {
    if (sizeOf(shape) !== data.length) {
      throw new ShapeError(
        `writeSafetensors: ${name} has ${data.length} elements for shape [${shape.join(', ')}]; ` +
          `make views contiguous first`,
      );
    }
    return { name, data, shape, group: groupOf(name) };
  });
  entries.sort((a, b) => {
    const later = a.group - b.group || b.data.BYTES_PER_ELEMENT - a.data.BYTES_PER_ELEMENT;
    return later !== 0 ? later : a.name < b.name ? -1 : 1;
  });
  const header: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) header.push(['__metadata__', metadata]);
  let size = 0;
  for (const { name, data, shape } of entries) {
    header.push([name, { dtype: typeOf(data), shape, data_offsets: [size, size + data.byteLength] }]);
    size += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + padded + size).fill(0x20, 8, 8 + padded);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true);
  bytes.set(text, 8);
  let at = 8 + padded;
  for (const { data } of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
