/**
 * Words said by the voices of speech synthesisers: more speakers than anybody recorded. Both programs are Debian packages
 * of the same name.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readWav, writeWav } from '../../audio/wav.js';
import { createRandom, SourceError } from '../../tensor/index.js';
import { choose, integer, type Random, uniform } from '../augmentation/index.js';
import { writeWhole } from './files.js';
import { MANIFEST } from './manifest.js';

const run = promisify(execFile);

/** One word by one voice. */
interface Saying {
  readonly voice: string;
  readonly word: string;
  readonly take: number;
  say(): Promise<Buffer>;
}

export interface VoicesOptions {
  readonly words: readonly string[];
  /** Takes of each word by each voice; each with another accent, speed and pitch. */
  readonly takes: number;
  /** Variants of espeak-ng that are kept out, for tests. */
  readonly without: readonly string[];
  readonly seed: number;
  readonly onProgress?: (done: number, all: number) => void;
  readonly signal?: AbortSignal;
}

const ACCENTS = [
  'en-us',
  'en-gb',
  'en-gb-scotland',
  'en-gb-x-rp',
  'en-029',
  'en-gb-x-gbclan',
  'en-gb-x-gbcwmd',
];
/** Variants that do not sound like people. */
const NO_PEOPLE =
  /^(whisperf?|croak|klatt\d?|robosoft\d?|unirobot|anikarobot|ufo|fast|shelby|demonic|tweaky|storm|kaukovalta)$/i;
const FLITE = ['kal16', 'awb', 'rms', 'slt'];

/** Runs a program; SourceError that says how to install it where it is not there. */
async function output(program: string, args: readonly string[]): Promise<Buffer> {
  try {
    return (await run(program, args, { encoding: 'buffer', maxBuffer: 1 << 24 })).stdout;
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing
      ? `is not installed: apt-get install ${program}, or train without synthetic voices`
      : `failed: ${(cause as Error).message}`;
    throw new SourceError(`${program} ${why}`, cause, isMissing);
  }
}

/** Names of espeak-ng's variants, from where it says its data lies. */
async function variants(): Promise<string[]> {
  const version = (await output('espeak-ng', ['--version'])).toString();
  const folder = /Data at: (.+)/.exec(version)?.[1]?.trim();
  if (folder === undefined) throw new SourceError(`espeak-ng --version says no folder of data: ${version}`);
  return (await readdir(join(folder, 'voices', '!v'))).filter((name) => !/\s/.test(name)).sort();
}

function espeak(voice: string, word: string, take: number, random: Random): Saying {
  const [accent, speed, pitch] = [
    choose(random, ACCENTS),
    integer(random, [120, 210]),
    integer(random, [25, 75]),
  ];
  const args = ['-v', `${accent}+${voice}`, '-s', `${speed}`, '-p', `${pitch}`, '--stdout', word];
  return { voice: `espeak-ng-${voice}`, word, take, say: () => output('espeak-ng', args) };
}

function flite(voice: string, word: string, take: number, random: Random): Saying {
  const stretch = uniform(random, [0.8, 1.3]).toFixed(2);
  const shift = uniform(random, [0.85, 1.15]).toFixed(2);
  const settings = ['--setf', `duration_stretch=${stretch}`, '--setf', `f0_shift=${shift}`];
  const say = async () => {
    // Node's pipes are sockets, which flite can't open by name.
    const folder = await mkdtemp(join(tmpdir(), 'acom-flite-'));
    try {
      const file = join(folder, 'said.wav');
      await output('flite', ['-voice', voice, ...settings, '-t', word, '-o', file]);
      return await readFile(file);
    } finally {
      await rm(folder, { recursive: true });
    }
  };
  return { voice: `flite-${voice}`, word, take, say };
}

/** Programs at work at once. */
const LANES = 2;

/**
 * Writes a dataset into `folder`: a WAV file for each saying, a manifest last, so that a folder with a manifest is complete.
 * Does nothing where there is one. The same options give the same words by the same voices. Throws SourceError where a
 * program is missing.
 */
export async function sayWords(folder: string, options: VoicesOptions): Promise<void> {
  if (existsSync(join(folder, MANIFEST))) return;
  const { words, takes, without, seed, onProgress, signal } = options;
  const random = createRandom(seed);
  const kept = new Set(without.map((name) => name.toLowerCase()));
  const people = (await variants()).filter((name) => !kept.has(name.toLowerCase()) && !NO_PEOPLE.test(name));
  const sayings: Saying[] = [];
  for (let take = 0; take < takes; take++) {
    for (const voice of people) for (const word of words) sayings.push(espeak(voice, word, take, random));
    for (const voice of FLITE) for (const word of words) sayings.push(flite(voice, word, take, random));
  }
  for (const word of words) await mkdir(join(folder, word), { recursive: true });
  const lines = new Array<string>(sayings.length);
  let [next, done] = [0, 0];
  const lane = async (): Promise<void> => {
    while (next < sayings.length) {
      signal?.throwIfAborted();
      const number = next++;
      const { voice, word, take, say } = sayings[number]!;
      const { samples, sampleRate } = readWav(await say());
      const path = `${word}/${voice}_${take}.wav`;
      await writeFile(join(folder, path), writeWav(samples, { sampleRate }));
      lines[number] = JSON.stringify({
        path,
        label: word,
        transcript: word,
        speaker: voice,
        sample_rate: sampleRate,
        samples: samples.length,
      });
      onProgress?.(++done, sayings.length);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  await writeWhole(join(folder, MANIFEST), `${lines.join('\n')}\n`);
}
