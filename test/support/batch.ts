/** What batches should come to: the streams that the library makes of the same recordings, and what was said of each. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRecording } from '../../src/audio/index.js';
import { loadCommands } from './commands.js';

export const LOG = '.acom-batch.jsonl';
const encoder = await (await loadCommands()).deviceEncoder();

/** What the library makes of a recording: what every stream here must be. */
async function streamOf(path: string, codebooks = 2): Promise<Buffer> {
  const { samples, sampleRate } = await readRecording(new Uint8Array(readFileSync(path)));
  return Buffer.from(encoder.encode(samples, sampleRate, { codebooks }));
}

/** Files of a folder at any depth, by their paths below it. */
export const filesOf = (folder: string, extension: string): string[] =>
  (readdirSync(folder, { recursive: true }) as string[]).filter((path) => path.endsWith(extension)).sort();

/** The names of streams in `out` whose bytes are not those of the recordings in `rec`. */
export async function wrongIn(folder: string, codebooks = 2): Promise<string[]> {
  const wrong: string[] = [];
  for (const path of filesOf(join(folder, 'rec'), '')) {
    const recording = join(folder, 'rec', path);
    if (!/\.(wav|mp3|ogg|opus|oga)$/.test(path)) continue;
    const stream = join(folder, 'out', path.replace(/\.\w+$/, '.acom'));
    if (!existsSync(stream) || !(await streamOf(recording, codebooks)).equals(readFileSync(stream))) {
      wrong.push(path);
    }
  }
  return wrong;
}

interface Said {
  readonly input: string;
  readonly skipped: boolean;
}

export const saidOf = (stdout: string): Said[] =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Said);

export const doneOf = (stdout: string): string[] =>
  saidOf(stdout).flatMap(({ input, skipped }) => (skipped ? [] : [input]));
