/** Files as torch.save writes them, from pickles put together opcode by opcode. */
import { deflateRawSync } from 'node:zlib';
import { crc32 } from '../../src/bitstream/crc.js';

const encoder = new TextEncoder();

export const bytesOf = (...parts: readonly (string | number | Uint8Array)[]): Uint8Array =>
  Uint8Array.from(
    parts.flatMap((part) =>
      // One byte for each character: opcodes are above 127 too.
      typeof part === 'string'
        ? Array.from(part, (c) => c.charCodeAt(0))
        : typeof part === 'number'
          ? [part]
          : [...part],
    ),
  );

const little = (value: number, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) & 255);

/** BINUNICODE. */
export const text = (value: string): Uint8Array => {
  const utf8 = encoder.encode(value);
  return bytesOf('X', little(utf8.length, 4), utf8);
};
/** BININT. */
export const int = (value: number): Uint8Array => bytesOf('J', little(value, 4));
export const tuple = (...items: readonly Uint8Array[]): Uint8Array => bytesOf('(', ...items, 't');
export const list = (...items: readonly Uint8Array[]): Uint8Array => bytesOf('](', ...items, 'e');
export const dict = (...items: readonly (readonly [Uint8Array | string, Uint8Array])[]): Uint8Array =>
  bytesOf('}(', ...items.flatMap(([key, value]) => [typeof key === 'string' ? text(key) : key, value]), 'u');
export const global = (module: string, name: string): Uint8Array => bytesOf('c', `${module}\n${name}\n`);

export interface TensorParts {
  readonly key?: string;
  readonly storage?: string;
  /** Of the storage. */
  readonly elements: number;
  readonly offset?: number;
  readonly shape: readonly number[];
  readonly stride: readonly number[];
}

/** A tensor of a zip file. */
export const tensor = ({
  key = '0',
  storage = 'FloatStorage',
  elements,
  offset = 0,
  shape,
  stride,
}: TensorParts) =>
  bytesOf(
    global('torch._utils', '_rebuild_tensor_v2'),
    '(',
    bytesOf(tuple(text('storage'), global('torch', storage), text(key), text('cpu'), int(elements)), 'Q'),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...stride.map(int)),
    '\x89',
    bytesOf(global('collections', 'OrderedDict'), ')R'),
    'tR',
  );

export const pickle = (value: Uint8Array): Uint8Array => bytesOf('\x80\x02', value, '.');

/** A zip archive; its files are stored one after another as they are, or deflated. */
export function zip(
  files: Readonly<Record<string, Uint8Array>>,
  { deflated = false, align = 1 } = {},
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let at = 0;
  const push = (bytes: Uint8Array) => {
    parts.push(bytes);
    at += bytes.length;
  };
  for (const [name, data] of Object.entries(files)) {
    const begin = at;
    const packed = deflated ? new Uint8Array(deflateRawSync(data)) : data;
    const title = encoder.encode(name);
    const padding = (align - ((begin + 34 + title.length) % align)) % align;
    const extra = align > 1 ? bytesOf('FB', little(padding, 2), new Uint8Array(padding)) : new Uint8Array(0);
    const common = bytesOf(
      little(20, 2),
      little(0, 2),
      little(deflated ? 8 : 0, 2),
      little(0, 4),
      little(crc32(data), 4),
      little(packed.length, 4),
      little(data.length, 4),
      little(title.length, 2),
    );
    push(bytesOf('PK\x03\x04', common, little(extra.length, 2), title, extra));
    push(packed);
    directory.push(bytesOf('PK\x01\x02', little(20, 2), common, new Uint8Array(12), little(begin, 4), title));
  }
  const begin = at;
  directory.forEach(push);
  const count = little(directory.length, 2);
  push(
    bytesOf('PK\x05\x06', little(0, 4), count, count, little(at - begin, 4), little(begin, 4), little(0, 2)),
  );
  const file = new Uint8Array(at);
  let to = 0;
  for (const part of parts) {
    file.set(part, to);
    to += part.length;
  }
  return file;
}

/** A zip file of torch.save; storages by key. */
export const torchZip = (
  value: Uint8Array,
  storages: Readonly<Record<string, Uint8Array>> = {},
  options: { deflated?: boolean; align?: number } = {},
): Uint8Array =>
  zip(
    {
      'model/data.pkl': pickle(value),
      ...Object.fromEntries(Object.entries(storages).map(([key, bytes]) => [`model/data/${key}`, bytes])),
      'model/version': encoder.encode('3\n'),
    },
    options,
  );

export const floats = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Float32Array.from(values).buffer);
