/** Bytes that can be read in any order without loading them all: memory, a file, a URL. */
import { openFile } from '#open-file';
import { asBytes, type Bytes, SourceError, UsageError } from '../tensor/index.js';

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
  if (!response.ok) {
    const answer = `${response.status} ${response.statusText}`;
    throw new SourceError(`${url}: the server answered ${answer}`, undefined, response.status === 404);
  }
  return response;
}

async function bodyOf(response: Response, url: URL): Promise<Uint8Array> {
  const body = await response.arrayBuffer().catch((cause: unknown) => {
    throw new SourceError(`${url}: the connection broke off (${(cause as Error).message}); try again`, cause);
  });
  return new Uint8Array(body);
}

async function fetchWhole(url: URL): Promise<ByteSource> {
  const response = await request(url, {});
  if (response.status === 206) throw new SourceError(`${url}: the server sends only a part of the file`);
  return bytesSource(await bodyOf(response, url), url.href);
}

/** First bytes asked of a URL: enough for the header of most models, so that it costs one request. */
const FIRST_BYTES = 1 << 16;

/** Reads by byte range where the server allows it; fetches all at once where it does not. */
export async function urlSource(url: URL): Promise<ByteSource> {
  const response = await request(url, { Range: `bytes=0-${FIRST_BYTES - 1}` });
  const head = await bodyOf(response, url);
  if (response.status !== 206) return bytesSource(head, url.href);
  // A browser hides this header of another origin where the server does not expose it: the size is not known.
  const total = Number(/\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]);
  if (!Number.isSafeInteger(total)) return fetchWhole(url);
  return {
    size: total,
    name: url.href,
    async read(offset, length) {
      if (offset + length <= head.length) return head.subarray(offset, offset + length);
      const end = Math.min(offset + length, total);
      if (end <= offset) return new Uint8Array(0);
      const part = await request(url, { Range: `bytes=${offset}-${end - 1}` });
      const body = await bodyOf(part, url);
      // A server may answer with the whole file all the same.
      const bytes = part.status === 206 ? body : body.subarray(offset, end);
      if (bytes.length !== end - offset) {
        throw new SourceError(`${url}: the server sent ${bytes.length} bytes of ${end - offset} asked for`);
      }
      return bytes;
    },
  };
}

/** An AudioWorklet knows no URLs. */
const isUrl = (from: unknown): from is URL => typeof URL !== 'undefined' && from instanceof URL;

/** A source for what a user names a file by: bytes, a path (Node), a URL. */
export async function byteSource(from: Bytes | string | URL): Promise<ByteSource> {
  if (typeof from !== 'string' && !isUrl(from)) {
    return bytesSource(asBytes(from, 'a file is named by its path, its URL or its bytes'));
  }
  if (typeof from === 'string' && !/^(https?|file|data|blob):/.test(from)) return openFile(from);
  if (!URL.canParse(from)) throw new UsageError(`${from}: this is no URL`);
  const url = new URL(from);
  return url.protocol === 'file:' ? openFile(url) : urlSource(url);
}
