import { resolve } from 'node:path';
import {
  type ByteSource,
  byteSource,
  bytesSource,
  type Checkpoint,
  type CheckpointValue,
  isStoredTensor,
  openCheckpoint,
} from '../checkpoints/index.js';
import { sizeOf } from '../tensor/index.js';
import { readInput, shortPath } from './files.js';
import { isFile } from './recordings.js';
import { EXIT, type ExitCode, forEachInput, print } from './run.js';
import { count, type Facts, pairs, table } from './text.js';

/** Names that checkpoints have. */
export const CHECKPOINTS = ['.safetensors', '.pt', '.pth', '.ckpt'];

/** A file to be read by byte range, or a pipe read whole. */
export const sourceOf = async (path: string): Promise<ByteSource> =>
  isFile(path) ? byteSource(resolve(path)) : bytesSource(await readInput(path), shortPath(path));

/** Characters of a value that is no tensor, and how many of these are listed. */
const MOST_CHARACTERS = 60;
const MOST_LINES = 20;
/** Characters of a key in their names. */
const MOST_KEY = 200;

/** One JSON line must not carry control characters of a file to the terminal. */
const quoted = (text: string): string => JSON.stringify(text);
const printable = (text: string): string => quoted(text).slice(1, -1);

/** The beginning of a value, as a person reads it; lists in brackets, tuples in parentheses. */
function shortText(value: CheckpointValue, room = MOST_CHARACTERS): string {
  if (typeof value === 'string') return quoted(value.slice(0, room + 1));
  if (value === null || typeof value !== 'object') return String(value);
  const isDict = value instanceof Map;
  if (!isDict && !Array.isArray(value)) return 'tensor';
  const parts: string[] = [];
  let length = 0;
  for (const [key, item] of value.entries() as Iterable<[unknown, CheckpointValue]>) {
    if (length > room) break;
    const text =
      (isDict ? `${printable(String(key).slice(0, room))}: ` : '') + shortText(item, room - length);
    parts.push(text);
    length += text.length + 2;
  }
  const [open, close] = isDict ? '{}' : Object.isFrozen(value) ? '()' : '[]';
  return `${open}${parts.join(', ')}${close}`;
}

const shortened = (value: CheckpointValue): string => {
  const text = shortText(value);
  return text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
};

/** Values beside the tensors: dicts and lists without a tensor as a whole, the others by what is in them. */
function otherData(
  value: CheckpointValue,
  path = '',
): { rows: [string, CheckpointValue][]; tensors: boolean } {
  if (value === null || typeof value !== 'object') return { rows: [[path, value]], tensors: false };
  if (isStoredTensor(value)) return { rows: [], tensors: true };
  const rows: [string, CheckpointValue][] = [];
  let tensors = false;
  for (const [key, item] of value.entries() as Iterable<[unknown, CheckpointValue]>) {
    const below = otherData(
      item,
      path === '' ? String(key).slice(0, MOST_KEY) : `${path}.${String(key).slice(0, MOST_KEY)}`,
    );
    tensors ||= below.tensors;
    for (const row of below.rows) rows.push(row);
  }
  return tensors || path === '' ? { rows, tensors } : { rows: [[path, value]], tensors };
}

/** "F32 101, I64 2": how many tensors there are of each type. */
function typesOf({ tensors }: Checkpoint): string {
  const types = new Map<string, number>();
  for (const { type } of tensors.values()) types.set(type, (types.get(type) ?? 0) + 1);
  return [...types].map(([type, n]) => `${type} ${count(n)}`).join(', ');
}

function valueJson(value: CheckpointValue): unknown {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value)))
    return String(value);
  return value === null || typeof value !== 'object' ? value : shortened(value);
}

/** What a checkpoint holds. */
export async function checkpointFacts(source: ByteSource): Promise<Facts> {
  const checkpoint = await openCheckpoint(source);
  const { format, metadata } = checkpoint;
  const tensors = [...checkpoint.tensors].map(([name, { type, shape, bytes }]) => ({
    name,
    type,
    shape,
    bytes,
  }));
  const numbers = tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const tensorBytes = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const others = checkpoint.value === undefined ? [] : otherData(checkpoint.value).rows;
  const json = {
    type: 'checkpoint',
    format,
    bytes: source.size,
    numbers,
    tensorBytes,
    tensors,
    other: others.map(([name, value]) => ({ name, value: valueJson(value) })),
    metadata: Object.fromEntries(metadata),
  };
  const about: [string, string][] = [
    ['checkpoint', `${format}, ${count(source.size)} bytes`],
    [
      'tensors',
      tensors.length === 0
        ? 'none'
        : `${count(tensors.length)} (${typesOf(checkpoint)}), ${count(numbers)} numbers, ${count(tensorBytes)} bytes`,
    ],
    ...[...metadata].map(([key, text]): [string, string] => [printable(key), shortened(text)]),
  ];
  const rows = tensors.map(({ name, type, shape, bytes }) => [
    `  ${printable(name)}`,
    type,
    `[${shape.join(', ')}]`,
    count(bytes),
  ]);
  const left = 'left' as const;
  const columns = [
    { title: '  tensor', align: left },
    { title: 'type', align: left },
    { title: 'shape', align: left },
    { title: 'bytes' },
  ];
  const listed = others
    .slice(0, MOST_LINES)
    .map(([name, value]) => [`  ${printable(name)}`, shortened(value)]);
  const more = others.length - listed.length;
  const data = table(
    [
      { title: '  other data', align: left },
      { title: '', align: left },
    ],
    listed,
  );
  const lines = [
    ...pairs(about),
    ...(rows.length > 0 ? ['', ...table(columns, rows)] : []),
    ...(listed.length > 0 ? ['', ...data] : []),
    ...(more > 0 ? [`  and ${count(more)} more`] : []),
  ];
  return { json, lines };
}

export interface InspectArguments {
  readonly json?: boolean;
}

/** acom weights inspect: what checkpoints hold. */
export async function inspectWeights(names: readonly string[], options: InspectArguments): Promise<ExitCode> {
  return forEachInput(names, CHECKPOINTS, async () => async ({ path }) => {
    const { json, lines } = await checkpointFacts(await sourceOf(path));
    if (options.json) print(JSON.stringify({ file: path, ...json }));
    else print(shortPath(path), ...lines);
    return EXIT.done;
  });
}
