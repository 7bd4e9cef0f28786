/**
 * Synthetic voices: words spoken by espeak-ng and flite, kept as a folder like that of any other dataset. Same voices,
 * words, seed and versions of the programs: same samples.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { readWav, resample, writeWav } from '../../audio/index.js';
import { createRandom, SourceError, UsageError } from '../../tensor/index.js';
import { trimmed } from '../augmentation/index.js';
import { type Dataset, DIGIT_WORDS } from './dataset.js';
import { alone, defaultCacheFolder, unfinishedName } from './files.js';
import { MANIFEST, readManifestFolder } from './manifest.js';
import { runProgram } from './programs.js';
import { sha1OfPcm, toPcm16 } from './samples.js';
import { drawTake, type Engine, ESPEAK, FLITE, listSpeakers, type Speaker } from './speakers.js';

/** What the recogniser of commands knows. */
export const COMMAND_WORDS: readonly string[] = [
  ...DIGIT_WORDS,
  ...['yes', 'no', 'up', 'down', 'left', 'right', 'on', 'off', 'stop', 'go'],
];

export interface VoicesOptions {
  /** Default: the 20 commands. */
  readonly words?: readonly string[];
  /** Ways in which each voice says each word: accent, pitch, speed, melody. Default 2. */
  readonly takes?: number;
  /** Default 1. */
  readonly seed?: number;
  /** Default 16,000. */
  readonly sampleRate?: number;
  /** Default both. */
  readonly engines?: readonly Engine[];
  /** Voices at most, spread over all that there are; default all. */
  readonly mostVoices?: number;
  /** Folder that the recordings are kept in. Default: see `defaultCacheFolder`. */
  readonly cache?: string;
  readonly onProgress?: (done: number, all: number) => void;
  readonly signal?: AbortSignal;
}

/** Changes with what is drawn or how it is written. */
const VERSION = 1;
/** Decibels under the loudest part at which the ends of a recording are cut off. */
const TRIM_DECIBELS = 50;

interface Line {
  readonly speaker: Speaker;
  readonly word: string;
  readonly take: number;
}

const nameOf = ({ engine, voice }: Speaker): string => `${engine}:${voice}`;
const fileNameOf = ({ engine, voice }: Speaker): string => `${engine}-${voice.replaceAll(/[^\w]/g, '_')}`;

/** Random numbers of one recording, whichever others are made. */
function randomOf(seed: number, { speaker, word, take }: Line): () => number {
  const text = `${seed}\0${nameOf(speaker)}\0${word}\0${take}`;
  return createRandom(createHash('sha1').update(text).digest().readUInt32BE(0));
}

/** Has a line spoken, writes it below `folder`, and gives its entry in the manifest. */
async function speak(line: Line, folder: string, seed: number, sampleRate: number, signal?: AbortSignal) {
  const { speaker, word, take } = line;
  const how = drawTake(speaker, word, randomOf(seed, line));
  const path = `${word}/${fileNameOf(speaker)}_${take}.wav`;
  // From where it is: espeak-ng cuts paths of more than 200 characters short.
  await runProgram(how.program, how.arguments(`${path}.spoken`), { cwd: folder, signal });
  const spoken = join(folder, `${path}.spoken`);
  const bytes = await readFile(spoken).catch((cause: unknown) => {
    throw new SourceError(
      `${nameOf(speaker)} wrote no file for "${word}": ${(cause as Error).message}`,
      cause,
    );
  });
  await rm(spoken);
  const recording = readWav(bytes);
  const samples = trimmed(
    resample(recording.samples, recording.sampleRate, sampleRate),
    sampleRate,
    TRIM_DECIBELS,
  );
  const pcm = toPcm16(samples);
  if (pcm.every((x) => x === 0))
    throw new SourceError(`${nameOf(speaker)} says nothing for "${word}": ${how.about}`);
  await writeFile(join(folder, path), writeWav(samples, { sampleRate }));
  return {
    path,
    label: word,
    transcript: word,
    speaker: nameOf(speaker),
    how: how.about,
    sample_rate: sampleRate,
    samples: pcm.length,
    pcm_sha1: sha1OfPcm(pcm),
  };
}

/** Speaks all lines, as many at once as there are cores; entries in the order of the lines. */
async function speakAll(
  lines: readonly Line[],
  one: (line: Line) => Promise<object>,
  onProgress: VoicesOptions['onProgress'],
): Promise<object[]> {
  const entries: object[] = new Array(lines.length);
  let [next, done] = [0, 0];
  let failed = false;
  const work = async (): Promise<void> => {
    while (next < lines.length && !failed) {
      const at = next++;
      try {
        entries[at] = await one(lines[at]!);
      } catch (error) {
        failed = true;
        throw error;
      }
      onProgress?.(++done, lines.length);
    }
  };
  // All end before anything is thrown: nothing writes into a folder that is being removed.
  const ends = await Promise.allSettled(Array.from({ length: availableParallelism() + 1 }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return entries;
}

/** `most` of `speakers`, at equal distances. */
function spread(speakers: readonly Speaker[], most: number): Speaker[] {
  const count = Math.min(most, speakers.length);
  return Array.from({ length: count }, (_, i) => speakers[Math.floor((i * speakers.length) / count)]!);
}

/** What tells versions of the programs apart: others speak otherwise. Flite's list of voices is all that it says. */
const versionsOf = (engines: readonly Engine[], signal?: AbortSignal): Promise<string[]> =>
  Promise.all(
    engines.map((engine) =>
      engine === 'flite'
        ? runProgram(FLITE, ['-lv'], { signal })
        : runProgram(ESPEAK, ['--version'], { signal }),
    ),
  );

/**
 * Has words spoken by synthetic voices and reads the result as a dataset; the second time it is only read. The voices of
 * the test set are not among them. Throws MissingProgramError, with the command that installs it, where espeak-ng or
 * flite is wanted and not there.
 */
export async function synthesizeVoices(options: VoicesOptions = {}): Promise<Dataset> {
  const { words = COMMAND_WORDS, takes = 2, seed = 1, sampleRate = 16_000, signal } = options;
  const { engines = ['espeak-ng', 'flite'], mostVoices = Infinity, cache = defaultCacheFolder() } = options;
  if (!(Number.isInteger(takes) && takes > 0 && mostVoices >= 1)) {
    throw new UsageError(`synthesizeVoices: ${takes} takes by ${mostVoices} voices make no sense`);
  }
  const unfit = words.find((word) => !/^[a-z]+$/i.test(word));
  if (unfit !== undefined) throw new UsageError(`synthesizeVoices: "${unfit}" is no single word of letters`);
  const versions = await versionsOf(engines, signal);
  const speakers = spread(await listSpeakers(engines, signal), mostVoices);
  const key = createHash('sha1')
    .update(JSON.stringify([VERSION, versions, speakers, words, takes, seed, sampleRate]))
    .digest('hex');
  const folder = join(cache, `voices-${key}`);
  const lines = speakers.flatMap((speaker) =>
    words.flatMap((word) => Array.from({ length: takes }, (_, take): Line => ({ speaker, word, take }))),
  );
  const make = async (): Promise<void> => {
    if (existsSync(folder)) return;
    const unfinished = unfinishedName(folder);
    try {
      for (const word of words) await mkdir(join(unfinished, word), { recursive: true });
      const one = (line: Line) => speak(line, unfinished, seed, sampleRate, signal);
      const entries = await speakAll(lines, one, options.onProgress);
      await writeFile(
        join(unfinished, MANIFEST),
        entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''),
      );
      await rename(unfinished, folder).catch((error: unknown) => {
        // Where no lock can be written, another process may have been faster.
        if (!existsSync(folder)) throw error;
      });
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  };
  if (!existsSync(folder)) await alone(`${folder}.lock`, make, signal);
  return readManifestFolder(folder);
}
