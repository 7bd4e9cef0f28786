/**
 * Google Speech Commands v0.01 and v0.02 as published: a folder for each word with `{speaker}_nohash_{n}.wav`, 16 kHz,
 * 1 s or less; `_background_noise_` with long recordings; lists of the files of validation and test.
 * Source: P. Warden, Speech Commands, arXiv:1804.03209.
 */
import { readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SourceError } from '../../tensor/index.js';
import type { Dataset } from './dataset.js';
import { type ListedClip, namesIn, wavDataset } from './wav-clips.js';

const NAME = /^([0-9a-f]{8})_nohash_\d+\.wav$/;
/** Label of the long noise recordings. */
export const BACKGROUND_NOISE = '_background_noise_';
/** Label of words that are no keywords. */
export const UNKNOWN = '_unknown_';

const LISTS = { validation: 'validation_list.txt', test: 'testing_list.txt' } as const;

/** Names of files that a list holds. */
function readList(folder: string, name: string): Set<string> {
  const file = join(folder, name);
  try {
    return new Set(readFileSync(file, 'utf8').split(/\r?\n/).filter(Boolean));
  } catch (cause) {
    throw new SourceError(`${file}: cannot be read: ${(cause as Error).message}`, cause);
  }
}

/** `keywords`: other words get the label `_unknown_`; without them each word is its own label. */
export function readSpeechCommands(given: string, keywords?: readonly string[]): Dataset {
  const folder = resolve(given);
  const validation = readList(folder, LISTS.validation);
  const test = readList(folder, LISTS.test);
  const listed: ListedClip[] = [];
  for (const word of namesIn(folder)) {
    if (!statSync(join(folder, word)).isDirectory()) continue;
    for (const name of namesIn(join(folder, word))) {
      const path = `${word}/${name}`;
      if (word === BACKGROUND_NOISE) {
        if (name.endsWith('.wav')) listed.push({ path, words: [], label: BACKGROUND_NOISE, speaker: null });
        continue;
      }
      const [, id] = NAME.exec(name) ?? [];
      if (id === undefined) continue;
      const label = keywords === undefined || keywords.includes(word) ? word : UNKNOWN;
      const split = test.has(path) ? 'test' : validation.has(path) ? 'validation' : 'train';
      listed.push({ path, words: [word], label, speaker: `sc-${id}`, split });
    }
  }
  if (listed.length === 0)
    throw new SourceError(`${folder}: there are no files {word}/{speaker}_nohash_{n}.wav`);
  return wavDataset('speech-commands', folder, listed);
}
