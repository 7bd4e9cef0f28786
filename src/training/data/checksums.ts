/**
 * What archives must be. Where nobody publishes a checksum, the one that was seen first is written into a lock file and
 * asked for ever after: that finds changes and damage, but not a wrong file the first time.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FormatError } from '../../tensor/index.js';
import { writeWhole } from './files.js';
import type { Source } from './sources.js';

export const LOCK_FILE = 'downloads.lock.json';

export async function sha256OfFile(file: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash, signal === undefined ? {} : { signal });
  return hash.digest('hex');
}

/** SHA-256 by address. */
type Lock = Readonly<Record<string, string>>;

async function readLock(file: string): Promise<Lock> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  try {
    const lock: unknown = JSON.parse(text);
    if (typeof lock === 'object' && lock !== null && !Array.isArray(lock)) return lock as Lock;
  } catch {
    // Said below.
  }
  throw new FormatError(file, 'this is no lock file; remove it to trust what is downloaded next');
}

/** How a checksum came to be trusted. */
export type Trust = 'published' | 'remembered' | 'first seen';

/**
 * Checks the SHA-256 of what came from a source against the published one, else against the lock file in `folder`, where
 * one that is new is written. Throws FormatError where they differ.
 */
export async function requireChecksum(folder: string, source: Source, sha256: string): Promise<Trust> {
  const lockFile = join(folder, LOCK_FILE);
  const lock = source.sha256 === undefined ? await readLock(lockFile) : {};
  const wanted = source.sha256 ?? lock[source.url];
  if (wanted === undefined) {
    await writeWhole(lockFile, `${JSON.stringify({ ...lock, [source.url]: sha256 }, null, 2)}\n`);
    return 'first seen';
  }
  if (wanted === sha256) return source.sha256 === undefined ? 'remembered' : 'published';
  throw new FormatError(
    source.url,
    `the SHA-256 of what was downloaded is ${sha256}, not ${wanted}${
      source.sha256 === undefined
        ? ` as the first time; if you trust the new one, remove the line from ${lockFile}`
        : ' as published; it was damaged or exchanged on the way, try again'
    }`,
  );
}
