/**
 * Folders with a `manifest.jsonl`: a JSON object for each recording, with `path` below the folder, `sample_rate`,
 * `samples`, and where they are known `transcript`, `label`, `speaker`, `fold`, `split` and `pcm_sha1`.
 */
import { readFile, stat } from 'node:fs/promises';
import { basename, join, resolve, sep } from 'node:path';
import { FormatError, SourceError } from '../../tensor/index.js';
import { type Clip, type ClipProblem, clipError, type Dataset, wordOf } from './dataset.js';
import { parseJsonLines } from './json-lines.js';

export const MANIFEST = 'manifest.jsonl';

type Entry = Readonly<Record<string, unknown>>;

/** Files looked up at a time. */
const AT_ONCE = 64;

function clipOf(manifest: string, folder: string, entry: Entry, number: number): Clip {
  const fail = (what: string): never => {
    throw new FormatError(manifest, `entry ${number}: ${what}`);
  };
  const text = (key: string): string | undefined => {
    const value = entry[key] ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    return fail(`"${key}" is no text`);
  };
  const count = (key: string, least: number): number | undefined => {
    const value = entry[key] ?? undefined;
    if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= least)) {
      return value as number | undefined;
    }
    return fail(`"${key}" is ${JSON.stringify(value)}; a whole number from ${least} on is needed`);
  };
  const path = text('path') ?? fail('there is no "path"');
  const file = resolve(folder, path);
  if (!file.startsWith(folder + sep)) fail(`"path" leads out of the folder: ${path}`);
  const sampleRate = count('sample_rate', 1) ?? fail('there is no "sample_rate"');
  const duration = entry['duration_s'];
  const samples =
    count('samples', 0) ??
    (typeof duration === 'number' && duration >= 0
      ? Math.round(duration * sampleRate)
      : fail('there is neither "samples" nor "duration_s"'));
  const label = text('label') ?? '';
  const optional = { fold: count('fold', 0), split: text('split'), sha1: text('pcm_sha1') };
  return {
    path,
    file,
    words: (text('transcript') ?? text('word') ?? '').split(/\s+/).filter((word) => word !== ''),
    label: wordOf(label),
    speaker: text('speaker') ?? null,
    ...(optional.fold === undefined ? {} : { fold: optional.fold }),
    ...(optional.split === undefined ? {} : { split: optional.split }),
    sampleRate,
    samples,
    ...(optional.sha1 === undefined ? {} : { sha1: optional.sha1 }),
  };
}

/** Keeps the clips whose files are there. */
async function withoutMissing(
  clips: readonly Clip[],
): Promise<{ readonly clips: Clip[]; readonly problems: ClipProblem[] }> {
  const present: Clip[] = [];
  const problems: ClipProblem[] = [];
  for (let from = 0; from < clips.length; from += AT_ONCE) {
    const part = clips.slice(from, from + AT_ONCE);
    const found = await Promise.all(part.map(({ file }) => stat(file).catch((error: unknown) => error)));
    for (const [i, clip] of part.entries()) {
      const about = found[i];
      if (about instanceof Error) problems.push({ path: clip.path, error: clipError(clip.file, about) });
      else present.push(clip);
    }
  }
  return { clips: present, problems };
}

/** Reads the manifest of a folder. Throws FormatError where a line of it makes no sense. */
export async function readManifestFolder(given: string): Promise<Dataset> {
  const folder = resolve(given);
  const manifest = join(folder, MANIFEST);
  let text: string;
  try {
    text = await readFile(manifest, 'utf8');
  } catch (cause) {
    throw new SourceError(`${manifest}: cannot be read: ${(cause as Error).message}`, cause);
  }
  const clips = parseJsonLines(manifest, text).map((entry, i) => clipOf(manifest, folder, entry, i + 1));
  return { name: basename(folder), folder, ...(await withoutMissing(clips)) };
}
