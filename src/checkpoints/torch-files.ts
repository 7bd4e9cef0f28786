/**
 * The two containers of torch.save: a zip archive with data.pkl and a file for each storage (PyTorch 1.6 and
 * later), and before that five pickles one after another with the storages behind them. Both are opened without
 * reading storages; every size is checked against the file first.
 */
import { FormatError } from '../tensor/index.js';
import type { ByteSource } from './byte-source.js';
import { ELEMENT_TYPES } from './element-types.js';
import { PICKLE_FORMAT, PickleEndsError, type PickleValue, readPickle } from './pickle.js';
import { TorchHost, type TorchStorage } from './torch-tensor.js';
import { openZip } from './zip.js';

export interface TorchFile {
  /** The whole object that was saved, tensors as TorchTensor. */
  readonly value: PickleValue;
  /** Where the pickle that it was read from begins, and its bytes. */
  readonly pickleBegin: number;
  readonly pickleBytes: number;
  /** The bytes of a storage, all of them. */
  readStorage(storage: TorchStorage): Promise<Uint8Array>;
}

/** Longest pickle that is read: names and shapes of 200,000 tensors fit. */
const MOST_PICKLE_BYTES = 1 << 25;

const fail = (message: string, offset?: number): never => {
  throw new FormatError(PICKLE_FORMAT, message, offset);
};

const ascii = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 32)).trim();

/** Opens a zip archive of torch.save. */
export async function openTorchZip(source: ByteSource): Promise<TorchFile> {
  const entries = await openZip(source);
  const pickles = [...entries.keys()].filter((name) => /^[^/]*\/data\.pkl$/.test(name));
  const folder = pickles[0]?.slice(0, -'data.pkl'.length);
  if (folder === undefined) return fail('this zip archive has no data.pkl: torch.save did not write it', 0);
  if (pickles.length > 1) return fail(`this zip archive has ${pickles.length} files data.pkl`, 0);
  if (entries.has(`${folder}constants.pkl`)) {
    return fail(
      "this is a TorchScript program, which is not run; save the network's state_dict() instead",
      0,
    );
  }
  const order = entries.get(`${folder}byteorder`);
  if (order !== undefined && (order.bytes > 16 || ascii((await order.read()).bytes) !== 'little')) {
    return fail('its numbers are not little-endian; load and save it again on a usual machine', 0);
  }
  const pickle = entries.get(`${folder}data.pkl`)!;
  if (pickle.bytes > MOST_PICKLE_BYTES) {
    return fail(`data.pkl has ${pickle.bytes} bytes; at most ${MOST_PICKLE_BYTES} are read`, 0);
  }
  const host = new TorchHost();
  const { bytes, begin } = await pickle.read();
  const at = begin ?? 0;
  const { value } = readPickle(bytes, 0, host, at);
  for (const { key, bytes: needed, elements, type } of host.storages.values()) {
    const found = entries.get(`${folder}data/${key}`)?.bytes;
    if (found === undefined) return fail(`storage ${key} is not in the archive: the file is incomplete`, at);
    if (found !== needed) {
      return fail(
        `storage ${key} of ${elements} ${type} needs ${needed} bytes, the archive has ${found}`,
        at,
      );
    }
  }
  const readStorage = async ({ key }: TorchStorage): Promise<Uint8Array> =>
    (await entries.get(`${folder}data/${key}`)!.read()).bytes;
  return { value, pickleBegin: at, pickleBytes: pickle.bytes, readStorage };
}

/** What the first pickle of a legacy file holds. */
const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;
/** Bytes before the elements of a storage: their number. */
const COUNT_BYTES = 8;

/** Whether a file begins with the pickle of LEGACY_MAGIC, of whatever protocol. */
export function looksLikeLegacy(head: Uint8Array): boolean {
  const magic = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  const at = head[0] === 0x80 ? 2 : -1;
  // From protocol 4 on, the length of a frame stands in between.
  const from = head[at] === 0x95 ? at + 9 : at;
  return at > 0 && magic.every((byte, i) => head[from + i] === byte);
}

function legacyPickles(bytes: Uint8Array): {
  host: TorchHost;
  value: PickleValue;
  keys: readonly string[];
  end: number;
} {
  let at = 0;
  const host = new TorchHost();
  const next = (): PickleValue => {
    const { value, end } = readPickle(bytes, at, host);
    at = end;
    return value;
  };
  if (next() !== LEGACY_MAGIC) return fail('its first number is not that of a PyTorch file', 0);
  const protocol = next();
  if (protocol !== LEGACY_PROTOCOL)
    return fail(`it is not of version ${LEGACY_PROTOCOL}, the one that is read`, at);
  const system = next();
  if (!(system instanceof Map) || system.get('little_endian') !== true) {
    return fail('its numbers are not little-endian; load and save it again on a usual machine', at);
  }
  const value = next();
  const keys = next();
  if (!Array.isArray(keys) || !keys.every((key): key is string => typeof key === 'string')) {
    return fail('it has no list of storages', at);
  }
  return { host, value, keys, end: at };
}

/** The pickles of a legacy file, whose length nothing says: as many bytes are read as they turn out to need. */
async function readLegacyPickles(source: ByteSource) {
  for (let length = 1 << 16; ; length *= 4) {
    const bytes = await source.read(0, Math.min(length, source.size, MOST_PICKLE_BYTES));
    try {
      return legacyPickles(bytes);
    } catch (error) {
      const all = length >= Math.min(source.size, MOST_PICKLE_BYTES);
      if (!(error instanceof PickleEndsError) || all) throw error;
    }
  }
}

/** Opens a file of torch.save from before PyTorch 1.6. */
export async function openTorchLegacy(source: ByteSource): Promise<TorchFile> {
  const { host, value, keys, end } = await readLegacyPickles(source);
  const begins = new Map<string, number>();
  let at = end;
  for (const key of keys) {
    const storage = host.storages.get(key);
    if (storage === undefined)
      return fail(`storage ${key} belongs to no tensor, so its size is not known`, at);
    if (begins.has(key)) return fail(`storage ${key} is listed twice`, at);
    begins.set(key, at);
    at += COUNT_BYTES + storage.bytes;
  }
  const missing = [...host.storages.keys()].find((key) => !begins.has(key));
  if (missing !== undefined) return fail(`storage ${missing} is not in the list of storages`, end);
  if (at !== source.size) {
    return fail(
      `its storages end at byte ${at}, the file at ${source.size}: it is cut short or damaged`,
      end,
    );
  }
  async function readStorage({ key, bytes, elements, type }: TorchStorage): Promise<Uint8Array> {
    const begin = begins.get(key)!;
    // Read from a multiple of the elements' size, so that they stay aligned where they can.
    const lead = begin % ELEMENT_TYPES[type].bytes;
    const read = await source.read(begin - lead, lead + COUNT_BYTES + bytes);
    if (read.length !== lead + COUNT_BYTES + bytes)
      return fail(`${source.name} ends in storage ${key}`, begin);
    const count = new DataView(read.buffer, read.byteOffset + lead).getBigInt64(0, true);
    if (count !== BigInt(elements)) {
      return fail(`storage ${key} holds ${count} elements, its tensors name ${elements}`, begin);
    }
    return read.subarray(lead + COUNT_BYTES);
  }
  return { value, pickleBegin: 0, pickleBytes: end, readStorage };
}
