/**
 * Reading safetensors: an 8-byte length, a JSON header of names, types, shapes and byte ranges, then the
 * data. Reading is lazy: the header says where each tensor lies, and only tensors that are asked for are
 * read, without a copy where the bytes are in memory and aligned. Nothing in a file is trusted: every size is
 * checked against the bytes that are there before anything is allocated.
 *
 * Format: https://huggingface.co/docs/safetensors
 */
import { FormatError, type NdArray, sizeOf, type TypedArray, view } from '../tensor/index.js';
import { utf8Text } from '../tensor/utf8.js';
import type { ByteSource } from './byte-source.js';
import {
  decodeElements,
  ELEMENT_TYPES,
  type ElementType,
  MOST_AXES,
  type StoredTensor,
} from './element-types.js';

/** Longest header that is read; the reference implementation has the same bound. */
const MOST_HEADER_BYTES = 100_000_000;
/** Where one tensor lies; `begin` and `end` count from the start of the file. */
export interface TensorEntry extends StoredTensor {
  readonly name: string;
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
  // The entry stands somewhere in the header, which begins here.
  const wrong = (message: string) => fail(message, 8);
  if (!isRecord(value)) return wrong(`the entry of tensor ${JSON.stringify(name)} is no object`);
  const { dtype, shape, data_offsets: offsets } = value;
  const what = `tensor ${JSON.stringify(name)}`;
  if (typeof dtype !== 'string' || !Object.hasOwn(ELEMENT_TYPES, dtype)) {
    return wrong(
      `${what} has type ${JSON.stringify(dtype)}; known are ${Object.keys(ELEMENT_TYPES).join(', ')}`,
    );
  }
  const type = dtype as ElementType;
  if (!Array.isArray(shape) || !shape.every(isCount)) return wrong(`${what} has no shape of whole numbers`);
  if (shape.length > MOST_AXES)
    return wrong(`${what} has ${shape.length} axes, at most ${MOST_AXES} are read`);
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return wrong(`${what} has no byte range of two whole numbers`);
  }
  const [from, to] = offsets as [number, number];
  const begin = dataStart + from;
  const end = dataStart + to;
  if (from > to) return wrong(`${what} ends before it begins: bytes ${from} to ${to}`);
  if (end > fileSize)
    return wrong(`${what} ends at byte ${end} of a file of ${fileSize}: the file is cut short`);
  const bytes = sizeOf(shape) * ELEMENT_TYPES[type].bytes;
  if (bytes !== to - from) {
    return wrong(
      `${what} of shape [${shape.join(', ')}] and type ${type} needs ${bytes} bytes, has ${to - from}`,
    );
  }
  return { name, type, shape, bytes, begin, end };
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
    parsed = JSON.parse(utf8Text(json));
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

const elementsOf = ({ type, shape }: TensorEntry, bytes: Uint8Array): NdArray<TypedArray> =>
  view(decodeElements(type, bytes), shape);

/** Whether a file begins with the length of a header, which begins with a brace. */
export const looksLikeSafetensors = (head: Uint8Array): boolean => head[8] === 0x7b;

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
        tensors.set(entry.name, elementsOf(entry, bytes.subarray(entry.begin - begin, entry.end - begin)));
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
    tensors.set(entry.name, elementsOf(entry, bytes.subarray(entry.begin, entry.end)));
  }
  return { metadata: header.metadata, tensors };
}
