/** Where files are kept between runs, and how they are written. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The folder for what can be made again: in `node_modules` of the working folder, else among temporary files. */
export function defaultCacheFolder(): string {
  const modules = resolve('node_modules');
  return existsSync(modules) ? join(modules, '.cache', 'acom') : join(tmpdir(), 'acom-cache');
}

/** A name beside `path` for what is not finished yet. */
export const unfinishedName = (path: string): string => join(dirname(path), `.acom-${randomUUID()}.part`);

/** Writes a file whole or not at all. */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const unfinished = unfinishedName(path);
  try {
    await writeFile(unfinished, bytes, { flag: 'wx' });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** A lock is renewed so often by who holds it, and is nobody's once it is so old: its process has died. */
const RENEWAL_MILLISECONDS = 1000;
const STALE_MILLISECONDS = 15_000;
const WAIT_MILLISECONDS = 100;

/**
 * Runs `work` when no other process or thread runs some with the same lock file, and gives what it gives: what takes
 * minutes to make is made once, not by every worker. Where no lock file can be written, nobody waits.
 */
export async function alone<T>(
  lock: string,
  work: () => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      await mkdir(dirname(lock), { recursive: true });
      await writeFile(lock, `${process.pid}\n`, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isLock(lock))) return work();
    }
    await removeStale(lock);
    await new Promise((done) => setTimeout(done, WAIT_MILLISECONDS));
  }
  const renewal = setInterval(() => {
    utimes(lock, new Date(), new Date()).catch(() => undefined);
  }, RENEWAL_MILLISECONDS);
  try {
    return await work();
  } finally {
    clearInterval(renewal);
    await rm(lock, { force: true });
  }
}

/** Whether what is in the way is a lock, or was one until just now, rather than a file where a folder should be. */
async function isLock(lock: string): Promise<boolean> {
  const folder = await stat(dirname(lock)).catch(() => null);
  return folder?.isDirectory() === true;
}

async function removeStale(lock: string): Promise<void> {
  const found = await stat(lock).catch(() => null);
  if (found === null || Date.now() - found.mtimeMs < STALE_MILLISECONDS) return;
  // Moved first: of several who see it, one can, and none removes the lock that another has taken since.
  const moved = unfinishedName(lock);
  await rename(lock, moved).catch(() => undefined);
  await rm(moved, { force: true });
}
