/** Finds files that only some checkouts have, and says which tests are skipped without them. */
import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, from dist/test/support. */
export const repository = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** The project's shared material: recordings, fixtures, exports from PyTorch. No user has it. */
export const sharedRoot = resolve(repository, process.env['ACOM_SHARED'] ?? '../shared');

/** A path under the shared folder. */
export const shared = (path: string): string => join(sharedRoot, path);

/** For tap's `skip`: false where `path` is there, else the reason. */
export function skipWithout(path: string): false | string {
  return existsSync(shared(path)) ? false : `${path} is not in ${sharedRoot} (set ACOM_SHARED)`;
}
