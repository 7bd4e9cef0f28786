/**
 * Folders of checkpoints, good and malicious, with an expected.json that says for each file which values it holds
 * or that it must be rejected. Found by what that file says, wherever it lies.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  bytesSource,
  type Checkpoint,
  type CheckpointValue,
  isStoredTensor,
  openCheckpoint,
  readSafetensors,
} from '../../src/checkpoints/index.js';
import type { TorchTensor } from '../../src/checkpoints/torch-tensor.js';
import { FormatError, type NdArray, type TypedArray } from '../../src/tensor/index.js';

/** A value in expected.json; what JSON lacks is tagged. */
type Golden = null | boolean | number | string | { readonly [tag: string]: unknown };

interface GoldenTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: readonly (number | string | boolean | { readonly __bigint__: string })[];
}

interface Expected {
  readonly expect: 'values' | 'reject' | 'reject_or_cycle' | 'reject_or_nested';
  /** Rejecting good values, or reading what a stricter reader rejects, is right too. */
  readonly optional?: boolean;
  readonly value?: Golden;
  /** Names of tensors that are views of one storage. */
  readonly shared_storage?: readonly (readonly string[])[];
  /** In place of `value`: name, shape, dtype, where the values stand in another file. */
  readonly keys?: readonly (readonly [string, readonly number[], string])[];
}

const TYPES: Readonly<Record<string, string>> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  bool: 'BOOL',
};
/** Values of the file whose tensors are given by `keys`. */
const KEPT_ELSEWHERE = '13_asr_end_to_end.weights.safetensors';

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Throws with what is wrong. */
const requireThat = (condition: boolean, message: string): void => {
  if (!condition) throw new Error(message);
};

function numberOf(golden: unknown): number | bigint {
  if (isRecord(golden)) return BigInt(String(golden['__bigint__']));
  if (typeof golden === 'boolean') return golden ? 1 : 0;
  return Number(golden);
}

function compareTensor(
  tensor: NdArray<TypedArray>,
  type: string,
  { dtype, shape, data }: GoldenTensor,
  at: string,
): void {
  requireThat(type === TYPES[dtype], `${at}: type ${type}, expected ${dtype}`);
  requireThat(String(tensor.shape) === String(shape), `${at}: shape [${tensor.shape}], expected [${shape}]`);
  const values = Array.from(tensor.data as Iterable<number | bigint>);
  const same = (x: number | bigint, i: number) => {
    const wanted = numberOf(data[i]);
    return Object.is(x, typeof x === 'bigint' ? BigInt(wanted) : wanted);
  };
  requireThat(values.length === data.length && values.every(same), `${at}: other values`);
}

type Read = (name: string) => { tensor: NdArray<TypedArray>; type: string };

function compareItems(value: CheckpointValue, golden: readonly unknown[], path: string[], read: Read): void {
  const at = path.join('.');
  requireThat(Array.isArray(value), `${at}: no list or tuple`);
  const list = value as readonly CheckpointValue[];
  requireThat(list.length === golden.length, `${at}: ${list.length} items, expected ${golden.length}`);
  list.forEach((item, i) => {
    compareValue(item, golden[i] as Golden, [...path, String(i)], read);
  });
}

function compareDict(
  value: CheckpointValue,
  golden: readonly (readonly [unknown, Golden])[],
  path: string[],
  read: Read,
): void {
  const at = path.join('.');
  requireThat(value instanceof Map, `${at}: no dict`);
  const entries = [...(value as ReadonlyMap<string | number, CheckpointValue>)];
  requireThat(entries.length === golden.length, `${at}: ${entries.length} keys, expected ${golden.length}`);
  entries.forEach(([key, item], i) => {
    const [name, expected] = golden[i]!;
    requireThat(key === (isRecord(name) ? name['__key__'] : name), `${at}: key ${String(key)}`);
    compareValue(item, expected, [...path, String(key)], read);
  });
}

function compareValue(value: CheckpointValue, golden: Golden, path: string[], read: Read): void {
  const at = path.join('.');
  if (isRecord(golden)) {
    if ('__tensor__' in golden) {
      requireThat(isStoredTensor(value), `${at}: no tensor`);
      const { tensor, type } = read(at);
      compareTensor(tensor, type, golden as unknown as GoldenTensor, at);
    } else if ('__tuple__' in golden || '__list__' in golden) {
      const isTuple = '__tuple__' in golden;
      requireThat(Object.isFrozen(value) === isTuple, `${at}: a list for a tuple, or the other way round`);
      compareItems(value, golden[isTuple ? '__tuple__' : '__list__'] as unknown[], path, read);
    } else if ('__bigint__' in golden) {
      requireThat(value === numberOf(golden), `${at}: ${String(value)}`);
    } else {
      compareDict(value, (golden['__dict__'] ?? golden['__ordered__']) as [], path, read);
    }
    return;
  }
  // Numbers that JSON lacks come as text.
  const expected = typeof value === 'number' && typeof golden === 'string' ? Number(golden) : golden;
  requireThat(Object.is(value, expected), `${at}: ${String(value)}, expected ${String(golden)}`);
}

/** Every tensor against another file of the same ones. */
async function compareKept(
  checkpoint: Checkpoint,
  keys: NonNullable<Expected['keys']>,
  file: string,
): Promise<string> {
  const names = keys.map(([name]) => name);
  requireThat(String([...checkpoint.tensors.keys()]) === String(names), 'other names');
  const kept = existsSync(file) ? readSafetensors(readFileSync(file)).tensors : null;
  for (const [name, shape, dtype] of keys) {
    const tensor = await checkpoint.read(name);
    requireThat(String(tensor.shape) === String(shape), `${name}: shape`);
    requireThat(checkpoint.tensors.get(name)?.type === TYPES[dtype], `${name}: type`);
    if (kept === null) continue;
    const same = Buffer.compare(bytesOf(tensor), bytesOf(kept.get(name)!)) === 0;
    requireThat(same, `${name}: other values`);
  }
  return kept === null ? `names and shapes; ${KEPT_ELSEWHERE} is not here` : `${names.length} tensors exact`;
}

const bytesOf = ({ data }: NdArray<TypedArray>) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

async function compareFile(folder: string, file: string, expected: Expected): Promise<string> {
  const checkpoint = await openCheckpoint(bytesSource(new Uint8Array(readFileSync(join(folder, file)))));
  const names = [...checkpoint.tensors.keys()];
  const tensors = await checkpoint.readAll(names);
  if (expected.expect === 'reject') throw new Error('it was read');
  if (expected.expect !== 'values') return 'read';
  if (expected.keys) return compareKept(checkpoint, expected.keys, join(folder, '..', KEPT_ELSEWHERE));
  const read: Read = (name) => {
    requireThat(tensors.has(name), `there is no tensor ${name}`);
    return { tensor: tensors.get(name)!, type: checkpoint.tensors.get(name)!.type };
  };
  // Safetensors hold one dict of tensors and nothing else.
  const whole: CheckpointValue = checkpoint.value === undefined ? checkpoint.tensors : checkpoint.value;
  if (checkpoint.format === 'safetensors') {
    const golden = ((expected.value as Record<string, unknown>)['__ordered__'] ?? []) as [
      string,
      GoldenTensor,
    ][];
    requireThat(names.length === golden.length, `${names.length} tensors, expected ${golden.length}`);
    for (const [name, tensor] of golden) compareTensor(read(name).tensor, read(name).type, tensor, name);
  } else compareValue(whole, expected.value as Golden, [], read);
  for (const group of expected.shared_storage ?? []) {
    const storages = new Set(group.map((name) => (checkpoint.tensors.get(name) as TorchTensor).storage));
    requireThat(storages.size === 1, `${group.join(', ')} come from ${storages.size} storages`);
  }
  return `${names.length} tensors exact`;
}

/** What came of one file: `detail` says what was read, why it was rejected, or what is wrong. */
export interface CheckpointVerdict {
  readonly file: string;
  readonly ok: boolean;
  readonly detail: string;
}

/** Files that code in a checkpoint would have made. */
const traces = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('oracle_pwned_'));

async function verdictOn(folder: string, file: string, expected: Expected): Promise<CheckpointVerdict> {
  const before = traces().length;
  let [ok, detail] = [true, ''];
  try {
    detail = await compareFile(folder, file, expected);
  } catch (error) {
    ok = error instanceof FormatError && (expected.expect !== 'values' || expected.optional === true);
    // A reader that leaves checksums out may read what a stricter one rejects.
    ok ||= expected.optional === true && (error as Error).message === 'it was read';
    detail = (error as Error).message;
    if (ok && (error as FormatError).offset === undefined)
      [ok, detail] = [false, `${detail} (no byte is named)`];
  }
  if (traces().length > before || Reflect.has({}, 'polluted'))
    return { file, ok: false, detail: 'it ran something' };
  return { file, ok, detail };
}

const isExpected = (json: unknown): json is { files: Record<string, Expected> } =>
  isRecord(json) &&
  isRecord(json['files']) &&
  Object.values(json['files']).some((e) => isRecord(e) && 'expect' in e);

/** The folders of checkpoints: `folder` itself or some in it. */
export function findCheckpointFolders(folder: string): { path: string; files: Record<string, Expected> }[] {
  const inside = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isDirectory());
  return [folder, ...inside].flatMap((path) => {
    const file = join(path, 'expected.json');
    if (!existsSync(file)) return [];
    const json: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isExpected(json) ? [{ path, files: json.files }] : [];
  });
}

/** Reads every file of a folder. */
export async function checkCheckpoints({
  path,
  files,
}: ReturnType<typeof findCheckpointFolders>[number]): Promise<CheckpointVerdict[]> {
  const verdicts: CheckpointVerdict[] = [];
  for (const [file, expected] of Object.entries(files)) verdicts.push(await verdictOn(path, file, expected));
  return verdicts;
}
