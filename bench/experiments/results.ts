/** Results as files: one for each experiment and task, written after every trial, so that a run goes on where it was ended. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Machine, thisMachine } from '../../src/cli/machine.js';
import type { Evaluation, Score } from '../../src/evaluation/index.js';
import { writeWhole } from '../../src/training/data/files.js';
import { repository } from '../../test/support/shared.js';
import type { Choice } from './choices.js';
import type { TaskName } from './tasks.js';

export const RESULTS = join(repository, 'bench/experiments/results');

export type StoredScore = Pick<Score, 'count' | 'total' | 'interval'>;

/** Scores and rates on one set of recordings. */
export interface SetResult {
  readonly recordings: number;
  readonly seconds: number;
  readonly continuous: StoredScore;
  readonly points: readonly (StoredScore & {
    readonly k: number;
    readonly raw: number;
    readonly entropy: number;
    readonly coded: number;
  })[];
}

export interface Trial {
  readonly choice: Choice;
  readonly seconds: number;
  /** The task's loss on validation recordings: without the quantiser, then with 1 to K codebooks. */
  readonly losses: readonly number[];
  readonly sets: Readonly<Record<string, SetResult>>;
}

/** Where an experiment writes, what it was called by, and how it says what it found. */
export interface Output {
  /** Folder of results. */
  readonly out: string;
  readonly command: string;
  readonly say: (line: string) => void;
}

/** Where results come from. */
export interface Provenance {
  readonly experiment: string;
  readonly task: TaskName;
  readonly seed: number;
  readonly commit: string;
  readonly date: string;
  readonly machine: Machine;
  readonly command: string;
}

export interface Results<T> extends Provenance {
  readonly rows: readonly T[];
}

const round = (value: number): number => Number(value.toPrecision(5));

const stored = ({ count, total, interval: [low, high] }: Score): StoredScore => ({
  count,
  total,
  interval: [round(low), round(high)],
});

/** What is kept of an evaluation. */
export const pointOf = ({ recordings, seconds, continuous, points }: Evaluation): SetResult => ({
  recordings,
  seconds: round(seconds),
  continuous: stored(continuous),
  points: points.map((point) => ({
    k: point.k,
    raw: round(point.rawBitRate),
    entropy: round(point.entropyBitRate),
    coded: round(point.codedBitRate),
    ...stored(point),
  })),
});

/** The commit that is checked out, with a mark where files differ from it. */
function commit(): string {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: repository, encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'src', 'kernels', 'bench/experiments/*.ts') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? ', changed' : ''}`;
  } catch {
    return 'unknown';
  }
}

export const provenanceOf = (
  experiment: string,
  task: TaskName,
  seed: number,
  command: string,
): Provenance => ({
  experiment,
  task,
  seed,
  commit: commit(),
  date: new Date().toISOString().slice(0, 10),
  machine: thisMachine(),
  command,
});

export const resultsFile = (folder: string, experiment: string, task: TaskName): string =>
  join(folder, `${experiment}-${task}.json`);

/** Results that are there; null where there are none. */
export function readResults<T>(folder: string, experiment: string, task: TaskName): Results<T> | null {
  const file = resultsFile(folder, experiment, task);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results<T>) : null;
}

/** Short lines: one row of results each. */
export async function writeResults<T>(folder: string, results: Results<T>): Promise<void> {
  const { rows, ...provenance } = results;
  const head = JSON.stringify(provenance, null, 2).replace(/\n}$/, '');
  const body = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
  const text = `${head},\n  "rows": [\n${body}\n  ]\n}\n`;
  await writeWhole(resultsFile(folder, results.experiment, results.task), text);
}
