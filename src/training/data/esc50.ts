/**
 * ESC-50 and its part ESC-10 as published: `audio/*.wav`, 44.1 kHz, 5 s, and `meta/esc50.csv` with the columns
 * filename, fold, target, category, esc10, src_file, take.
 * Source: K. J. Piczak, ESC: Dataset for Environmental Sound Classification, ACM Multimedia 2015.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { FormatError, SourceError } from '../../tensor/index.js';
import type { Dataset } from './dataset.js';
import { type ListedClip, wavDataset } from './wav-clips.js';

export const ESC50_TABLE = 'meta/esc50.csv';

/** `classes`: all 50, or the 10 of ESC-10. */
export function readEsc50(given: string, classes: 10 | 50 = 50): Dataset {
  const folder = resolve(given);
  const table = join(folder, ESC50_TABLE);
  let text: string;
  try {
    text = readFileSync(table, 'utf8');
  } catch (cause) {
    throw new SourceError(`${table}: cannot be read: ${(cause as Error).message}`, cause);
  }
  const [header = '', ...rows] = text.split(/\r?\n/).filter(Boolean);
  const columns = header.split(',');
  const at = (name: string): number => {
    const index = columns.indexOf(name);
    if (index < 0) throw new FormatError(table, `there is no column "${name}" among ${header}`);
    return index;
  };
  const [filename, fold, category, esc10] = [at('filename'), at('fold'), at('category'), at('esc10')];
  const listed: ListedClip[] = rows.flatMap((row, i) => {
    const cells = row.split(',');
    const number = Number(cells[fold]);
    const name = cells[filename] ?? '';
    if (cells.length !== columns.length || !Number.isInteger(number) || !/^[\w-]+\.wav$/.test(name)) {
      throw new FormatError(table, `line ${i + 2} makes no sense: ${row.slice(0, 80)}`);
    }
    if (classes === 10 && cells[esc10]?.toLowerCase() !== 'true') return [];
    return [{ path: `audio/${name}`, words: [], label: cells[category]!, speaker: null, fold: number }];
  });
  return wavDataset(classes === 10 ? 'esc-10' : 'esc-50', folder, listed);
}
