/**
 * Checkpoints of whatever kind, told apart by what is in them: safetensors and both formats of torch.save. Each
 * gives its tensors by name; they are read when they are asked for, so that a file may be larger than memory.
 */
import { FormatError, type NdArray, type TypedArray } from '../tensor/index.js';
import type { ByteSource } from './byte-source.js';
import type { StoredTensor } from './element-types.js';
import { flatten } from './flatten.js';
import { PICKLE_FORMAT, type PickleKey, type PickleValue } from './pickle.js';
import { looksLikeSafetensors, openSafetensors } from './safetensors.js';
import { looksLikeLegacy, openTorchLegacy, openTorchZip, type TorchFile } from './torch-files.js';
import { type TorchStorage, TorchTensor, tensorOf } from './torch-tensor.js';

/** The object in a PyTorch file: dicts are Maps, tuples frozen arrays, large integers bigints. */
export type CheckpointValue =
  | PickleKey
  | readonly CheckpointValue[]
  | ReadonlyMap<PickleKey, CheckpointValue>
  | StoredTensor;

export interface Checkpoint {
  readonly format: 'safetensors' | 'PyTorch zip' | 'PyTorch legacy';
  /** By name: keys of nested dicts and indices of lists joined by dots. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The whole object of a PyTorch file; undefined for safetensors, where the tensors are all. */
  readonly value: CheckpointValue | undefined;
  /** Texts of a safetensors header; none in PyTorch files. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Reads one tensor, F16 and BF16 as float32; throws FormatError where there is none of that name. */
  read(name: string): Promise<NdArray<TypedArray>>;
  /** Reads several tensors; those that share a storage come to share memory where they can. */
  readAll(names: readonly string[]): Promise<Map<string, NdArray<TypedArray>>>;
}

/** Whether a value of a PyTorch file is one of its tensors. */
export const isStoredTensor = (value: CheckpointValue): value is StoredTensor => value instanceof TorchTensor;

/** A pickle of n bytes may hold so many times n values, where parts of it occur in several places. */
const MOST_REUSE = 16;

function torchCheckpoint(format: 'PyTorch zip' | 'PyTorch legacy', file: TorchFile): Checkpoint {
  const tensors = flatten(file.value, MOST_REUSE * file.pickleBytes, file.pickleBegin);
  const readAll = async (names: readonly string[]): Promise<Map<string, NdArray<TypedArray>>> => {
    const wanted = new Map<TorchStorage, [string, TorchTensor][]>();
    for (const name of names) {
      const tensor = tensors.get(name);
      if (tensor === undefined)
        throw new FormatError(PICKLE_FORMAT, `there is no tensor ${JSON.stringify(name)}`);
      const { storage } = tensor;
      wanted.set(storage, [...(wanted.get(storage) ?? []), [name, tensor]]);
    }
    const found = new Map<string, NdArray<TypedArray>>();
    for (const [storage, of] of wanted) {
      const bytes = await file.readStorage(storage);
      for (const [name, tensor] of of) found.set(name, tensorOf(tensor, bytes));
    }
    return found;
  };
  return {
    format,
    tensors,
    // flatten has seen that nothing but this is in it.
    value: file.value as Exclude<PickleValue, object> | TorchTensor,
    metadata: new Map(),
    readAll,
    read: async (name) => (await readAll([name])).get(name)!,
  };
}

/** Enough of a file to know its format. */
export const CHECKPOINT_HEAD_BYTES = 32;

/** The format of a checkpoint by its first bytes; undefined where it is none. */
export function checkpointFormat(head: Uint8Array): Checkpoint['format'] | undefined {
  const zip = [0x50, 0x4b, 0x03, 0x04];
  if (zip.every((byte, i) => head[i] === byte)) return 'PyTorch zip';
  if (looksLikeLegacy(head)) return 'PyTorch legacy';
  return looksLikeSafetensors(head) ? 'safetensors' : undefined;
}

/**
 * Opens a checkpoint: names, types and shapes are read, the tensors not yet. PyTorch's zip files need the package
 * @zip.js/zip.js. Throws FormatError for what is no checkpoint, is damaged, or holds anything but tensors and
 * plain data; nothing that a file holds is ever run.
 */
export async function openCheckpoint(source: ByteSource): Promise<Checkpoint> {
  const head = await source.read(0, CHECKPOINT_HEAD_BYTES);
  const format = checkpointFormat(head);
  if (format === 'safetensors') return { format, value: undefined, ...(await openSafetensors(source)) };
  if (format === 'PyTorch zip') return torchCheckpoint(format, await openTorchZip(source));
  if (format === 'PyTorch legacy') return torchCheckpoint(format, await openTorchLegacy(source));
  throw new FormatError(
    'checkpoint',
    `${source.name}: this is neither safetensors nor a file of torch.save; save the network's state_dict() as one of these`,
    0,
  );
}
