/**
 * Zip archives through the package @zip.js/zip.js, an optional peer that only this file imports, and only when
 * an archive is opened. Entries are read one by one, by byte range; those that are stored, not compressed,
 * come as a view of what the source gives. The checksum of each is checked when it is read.
 */
import type { FileEntry } from '@zip.js/zip.js';
import { AcomError, FormatError, MissingPackageError } from '../tensor/index.js';
import type { ByteSource } from './byte-source.js';

export interface ZipEntry {
  /** Bytes once unpacked. */
  readonly bytes: number;
  /** Reads the entry, and says where in the file its bytes lie as they are; undefined where compressed. */
  read(): Promise<{ readonly bytes: Uint8Array; readonly begin: number | undefined }>;
}

/** Bytes at the end that are read first: the directory of most archives, in one request. */
const TAIL_BYTES = 1 << 16;
/** Entries begin at a multiple of this, in files of PyTorch; so do reads, and tensors stay aligned. */
const ALIGNMENT = 64;
/** A compressed entry unpacks to at most so many times its size, and so many bytes more; weights do to less. */
const MOST_EXPANSION = 64;
const MOST_EXTRA = 1 << 20;
/** Longest header and trailer of an entry, names and extra fields included. */
const MOST_FRAMING = 30 + 2 * 0xffff + 24;

async function loadZip() {
  try {
    return await import('@zip.js/zip.js');
  } catch (cause) {
    throw new MissingPackageError('@zip.js/zip.js', "Reading PyTorch's zip files", cause);
  }
}

const fail = (message: string, offset?: number): never => {
  throw new FormatError('zip archive', message, offset);
};

/** Runs a call of the package; what it throws becomes a FormatError. */
async function checked<T>(what: string, offset: number, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AcomError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return fail(`${what}: ${reason}; the file is damaged or cut short, fetch or save it again`, offset);
  }
}

/** A source of which the last piece read is kept: the package reads in many small steps. */
class Window {
  private start = 0;
  private bytes: Uint8Array = new Uint8Array(0);

  constructor(private readonly source: ByteSource) {}

  async fill(start: number, end: number): Promise<void> {
    const bytes = await this.source.read(start, Math.max(0, end - start));
    [this.start, this.bytes] = [start, bytes];
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const from = offset - this.start;
    if (from >= 0 && from + length <= this.bytes.length) return this.bytes.subarray(from, from + length);
    const begin = Math.min(Math.max(0, offset), this.source.size);
    return this.source.read(begin, Math.min(length, this.source.size - begin));
  }

  /** Lets the bytes go. */
  clear(): void {
    this.bytes = new Uint8Array(0);
  }
}

/** The entries of an archive by name. */
export async function openZip(source: ByteSource): Promise<ReadonlyMap<string, ZipEntry>> {
  const { ZipReader, Reader } = await loadZip();
  const window = new Window(source);
  class SourceReader extends Reader<null> {
    override size = source.size;
    override readUint8Array(offset: number, length: number): Promise<Uint8Array> {
      return window.read(offset, length);
    }
  }
  await window.fill(Math.max(0, source.size - TAIL_BYTES), source.size);
  const reader = new ZipReader(new SourceReader(null), { useWebWorkers: false, checkCrc32: true });
  const listed = await checked('its directory can not be read', source.size, () => reader.getEntries());
  const starts = listed.map(({ offset }) => offset).sort((a, b) => a - b);
  const entries = new Map<string, ZipEntry>();

  async function read(entry: FileEntry): Promise<{ bytes: Uint8Array; begin: number | undefined }> {
    const { filename, offset, compressedSize, uncompressedSize: size } = entry;
    const stored = entry.compressionMethod === 0;
    if (offset + compressedSize > source.size) {
      fail(
        `${filename} claims ${compressedSize} bytes of a file of ${source.size}: it is cut short or damaged`,
        offset,
      );
    }
    if (stored ? size !== compressedSize : size > compressedSize * MOST_EXPANSION + MOST_EXTRA) {
      fail(`${filename} claims to hold ${size} bytes in ${compressedSize}`, offset);
    }
    const next = starts.find((start) => start > offset) ?? source.size;
    const end = Math.min(next, source.size, offset + MOST_FRAMING + compressedSize);
    await window.fill(offset - (offset % ALIGNMENT), end);
    // Of a stored entry only the checksum is taken; its bytes are there already.
    const unpacked = new Uint8Array(stored ? 0 : size);
    let at = 0;
    const write = (chunk: Uint8Array): void => {
      if (!stored) {
        if (at + chunk.length > size) fail(`${filename} holds more than the ${size} bytes it claims`, offset);
        unpacked.set(chunk, at);
      }
      at += chunk.length;
    };
    await checked(filename, offset, () => entry.getData(new WritableStream({ write })));
    if (at !== size) fail(`${filename} holds ${at} bytes and claims ${size}`, offset);
    if (!stored) return { bytes: unpacked, begin: undefined };
    const begin = entry.localDirectory?.dataOffset ?? fail(`${filename} has no header`, offset);
    const bytes = await window.read(begin, size);
    return { bytes, begin };
  }

  for (const entry of listed) {
    if (entry.directory) continue;
    if (entries.has(entry.filename)) fail(`it holds two files ${entry.filename}`, entry.offset);
    entries.set(entry.filename, {
      bytes: entry.uncompressedSize,
      read: () => read(entry).finally(() => window.clear()),
    });
  }
  window.clear();
  return entries;
}
