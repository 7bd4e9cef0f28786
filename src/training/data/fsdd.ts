/**
 * The Free Spoken Digit Dataset as its authors publish it: `recordings/{digit}_{speaker}_{index}.wav`, 8 kHz.
 * Source: https://github.com/Jakobovski/free-spoken-digit-dataset
 */
import { join, resolve } from 'node:path';
import { SourceError } from '../../tensor/index.js';
import { type Dataset, wordOf } from './dataset.js';
import { namesIn, wavDataset } from './wav-clips.js';

const NAME = /^(\d)_(.+)_(\d+)\.wav$/;
/** The official test set: takes 0 to 4 of each speaker and digit. */
const TEST_TAKES = 5;

export function readFsdd(given: string): Dataset {
  const folder = resolve(given);
  const listed = namesIn(join(folder, 'recordings')).flatMap((name) => {
    const [, digit, speaker, index] = NAME.exec(name) ?? [];
    if (digit === undefined || speaker === undefined) return [];
    const word = wordOf(digit);
    const split = Number(index) < TEST_TAKES ? 'test' : 'train';
    return [{ path: `recordings/${name}`, words: [word], label: word, speaker, split }];
  });
  if (listed.length === 0) {
    throw new SourceError(`${folder}/recordings: there are no files {digit}_{speaker}_{index}.wav`);
  }
  return wavDataset('fsdd', folder, listed);
}
