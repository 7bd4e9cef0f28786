/** Manifests: lines of JSON with `path` (relative to the manifest) and `transcript` or `label`. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FormatError } from '../tensor/index.js';
import { parseJsonLines } from '../training/data/json-lines.js';
import { naming } from './run.js';

export interface ManifestEntry {
  /** As it stands in the manifest. */
  readonly path: string;
  readonly file: string;
  /** What was said, or what the recording is. */
  readonly said: string;
}

/** Reads a manifest whose lines say under `key` what each recording is; '' where `key` is null. */
export async function readManifest(
  path: string,
  key: 'transcript' | 'label' | null,
): Promise<ManifestEntry[]> {
  const entries = parseJsonLines(path, await naming(path, () => readFile(path, 'utf8')));
  if (entries.length === 0) throw new FormatError(path, 'the manifest has no lines');
  return entries.map((entry, i) => {
    const file = entry['path'];
    const said = key === null ? '' : entry[key];
    if (typeof file !== 'string' || typeof said !== 'string') {
      throw new FormatError(
        path,
        `entry ${i + 1} has no "path"${key === null ? '' : ` and "${key}"`} of text`,
      );
    }
    return { path: file, file: resolve(dirname(path), file), said };
  });
}
