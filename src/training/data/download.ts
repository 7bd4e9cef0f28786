/** Datasets from where they are published: fetched, checked, unpacked; each step is whole or did not happen. */
import { randomUUID } from 'node:crypto';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AcomError, FormatError, SourceError } from '../../tensor/index.js';
import { requireChecksum, sha256OfFile, type Trust } from './checksums.js';
import { type Program, runProgram } from './programs.js';
import type { Source } from './sources.js';

export interface DownloadOptions {
  /** Bytes so far, and of all where the server says. */
  readonly onProgress?: (done: number, all: number | undefined) => void;
  readonly signal?: AbortSignal;
}

const TAR: Program = {
  name: 'tar',
  purpose: 'Unpacking datasets',
  install: 'apt-get install tar (Debian, Ubuntu); macOS and Windows have it',
};

/** Tries of a download that breaks off; each goes on where the one before ended. */
const ATTEMPTS = 4;
const WAIT_MILLISECONDS = 500;

/** The connection broke off; what came is kept. */
class BrokenOff extends SourceError {}

const sizeOf = async (file: string): Promise<number> => (await stat(file).catch(() => null))?.size ?? 0;

/** What tells versions of a file apart: without it nobody knows whether the rest belongs to what is there. */
const versionOf = (headers: Headers): string | null => headers.get('etag') ?? headers.get('last-modified');

/** Fetches what is missing of `part`. */
async function fetchRest(source: Source, part: string, options: DownloadOptions): Promise<void> {
  const { url } = source;
  const { onProgress, signal } = options;
  const versionFile = `${part}.version`;
  const version = await readFile(versionFile, 'utf8').catch(() => '');
  const there = version === '' ? 0 : await sizeOf(part);
  const headers: Record<string, string> = {
    // Packed for the way, lengths would mean nothing.
    'Accept-Encoding': 'identity',
    ...(there > 0 ? { Range: `bytes=${there}-`, 'If-Range': version } : {}),
  };
  let response: Response;
  try {
    response = await fetch(url, { headers, ...(signal === undefined ? {} : { signal }) });
  } catch (cause) {
    signal?.throwIfAborted();
    const why = (cause as { cause?: Error }).cause?.message ?? (cause as Error).message;
    throw new BrokenOff(`${url}: cannot be reached: ${why}`, cause);
  }
  // All is there already.
  if (response.status === 416 && there > 0) return;
  if (!response.ok || response.body === null) {
    const text = `${url}: the server says ${response.status} ${response.statusText}`.trimEnd();
    throw response.status >= 500
      ? new BrokenOff(text)
      : new SourceError(text, undefined, response.status === 404);
  }
  const from = response.status === 206 ? there : 0;
  if (from > 0 && !response.headers.get('content-range')?.startsWith(`bytes ${from}-`)) {
    throw new FormatError(url, `the server sends another part than the one from byte ${from} on`);
  }
  await writeFile(versionFile, versionOf(response.headers) ?? '');
  const length = Number(response.headers.get('content-length') ?? Number.NaN);
  // What is counted here is unpacked, should the server have packed it for the way.
  const all =
    Number.isFinite(length) && !response.headers.has('content-encoding') ? from + length : undefined;
  let done = from;
  const counted = async function* (pieces: AsyncIterable<Uint8Array>) {
    for await (const piece of pieces) {
      done += piece.length;
      if (source.bytes !== undefined && done > source.bytes) {
        throw new FormatError(
          url,
          `the server sends more than the ${source.bytes} bytes that the archive has`,
        );
      }
      onProgress?.(done, all);
      yield piece;
    }
  };
  try {
    const body = Readable.fromWeb(response.body as Parameters<typeof Readable.fromWeb>[0]);
    const file = createWriteStream(part, { flags: from > 0 ? 'a' : 'w' });
    await pipeline(body, counted, file, signal === undefined ? {} : { signal });
  } catch (cause) {
    signal?.throwIfAborted();
    // Errors of the file have a path of their own in the message.
    if (cause instanceof AcomError || (cause as NodeJS.ErrnoException).syscall === 'write') throw cause;
    throw new BrokenOff(`${url}: the connection broke off after ${done} bytes; run it again to go on`, cause);
  }
  if (all !== undefined && done < all) {
    throw new BrokenOff(`${url}: ${done} of ${all} bytes came; run it again to go on`);
  }
}

/**
 * Downloads the archive of a source into `folder`, going on where an earlier try ended, and checks it. Throws SourceError
 * where it cannot be had and FormatError where it is not what it should be; only then is what came thrown away.
 */
export async function downloadArchive(
  source: Source,
  folder: string,
  options: DownloadOptions = {},
): Promise<{ readonly file: string; readonly sha256: string; readonly trust: Trust }> {
  const file = join(folder, `${source.name}-${basename(new URL(source.url).pathname)}`);
  const part = `${file}.part`;
  await mkdir(folder, { recursive: true });
  const discard = async (): Promise<void> => {
    for (const each of [part, `${part}.version`]) await rm(each, { force: true });
  };
  if (!existsSync(file)) {
    for (let attempt = 1; ; attempt++) {
      try {
        await fetchRest(source, part, options);
        break;
      } catch (error) {
        if (error instanceof FormatError) await discard();
        if (!(error instanceof BrokenOff) || attempt === ATTEMPTS) throw error;
        await new Promise((done) => setTimeout(done, WAIT_MILLISECONDS * attempt));
        options.signal?.throwIfAborted();
      }
    }
    await rename(part, file);
    await discard();
  }
  try {
    const { bytes } = source;
    const found = await sizeOf(file);
    if (bytes !== undefined && found !== bytes) {
      throw new FormatError(source.url, `${found} bytes came, the archive has ${bytes}`);
    }
    const sha256 = await sha256OfFile(file, options.signal);
    return { file, sha256, trust: await requireChecksum(folder, source, sha256) };
  } catch (error) {
    if (error instanceof FormatError) await rm(file, { force: true });
    throw error;
  }
}

/**
 * A dataset as its authors publish it, unpacked in `folder`, which `readDataset` then reads. Where the folder is there
 * already nothing is fetched; the archive is removed once it is unpacked.
 */
export async function fetchDataset(
  source: Source,
  folder: string,
  options: DownloadOptions = {},
): Promise<Trust | 'already there'> {
  const target = resolve(folder);
  if (existsSync(target)) return 'already there';
  const { file, trust } = await downloadArchive(source, dirname(target), options);
  const unpacked = join(dirname(target), `.acom-${randomUUID()}.part`);
  await mkdir(unpacked);
  try {
    const what = ['-xzf', file, '-C', unpacked, `--strip-components=${source.strip}`];
    await runProgram(TAR, what, { signal: options.signal });
    await rename(unpacked, target);
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
  await rm(file);
  return trust;
}
