/** Bytes that can be read in any order without loading them all: memory, a file, a URL. */
import { openFile } from '#open-file';
import { SourceError } from '../tensor/index.js';

export interface ByteSource {
  readonly size: number;
  /** Where the bytes come from, for messages. */
  readonly name: string;
  /** Exactly `length` bytes from `offset` on, or fewer at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

export function bytesSource(bytes: Uint8Array, name = 'the bytes given'): ByteSource {
  return {
    size: bytes.length,
    name,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
  };
}

async function request(url: URL, headers: Record<string, string>): Promise<Response> {
  const response = await fetch(url, { headers }).catch((cause: unknown) => {
    throw new SourceError(`${url}: could not be fetched: ${(cause as Error).message}`, cause);
  });
  if (!response.ok)
    throw new SourceError(`${url}: the server answered ${response.status} ${response.statusText}`);
  return response;
}

/** First bytes asked of a URL: enough for the header of most models, so that it costs one request. */
const FIRST_BYTES = 1 << 16;

/** Reads by byte range where the server allows it; fetches all at once where it does not. */
export async function urlSource(url: URL): Promise<ByteSource> {
  const response = await request(url, { Range: `bytes=0-${FIRST_BYTES - 1}` });
  const head = new Uint8Array(await response.arrayBuffer());
  const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
  if (response.status !== 206 || !Number.isSafeInteger(total)) return bytesSource(head, url.href);
  return {
    size: total,
    name: url.href,
    async read(offset, length) {
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      if (length === 0) return new Uint8Array(0);
      const last = Math.min(offset + length, total) - 1;
      const part = await request(url, { Range: `bytes=${offset}-${last}` });
      const bytes = new Uint8Array(await part.arrayBuffer());
      // A server may answer with the whole file all the same.
      return part.status === 206 ? bytes : bytes.subarray(offset, last + 1);
    },
  };
}

/** A source for what a user names a file by: bytes, a path (Node), a URL. */
export async function byteSource(from: Uint8Array | ArrayBuffer | string | URL): Promise<ByteSource> {
  if (from instanceof Uint8Array) return bytesSource(from);
  if (from instanceof ArrayBuffer) return bytesSource(new Uint8Array(from));
  if (typeof from === 'string' && !/^(https?|file|data|blob):/.test(from)) return openFile(from);
  const url = new URL(from);
  return url.protocol === 'file:' ? openFile(url) : urlSource(url);
}
