/** Where files are kept between runs, and how they are written. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
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
