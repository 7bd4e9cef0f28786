/**
 * Search over cut, codewords, pooling, width, weights of the losses and rate of learning by a Parzen estimator. The next proposal
 * is made from all trials in results/search-TASK.jsonl, so that a search goes on where it was ended.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom, TrainingError, UsageError } from '../../src/tensor/index.js';
import { writeWhole } from '../../src/training/data/files.js';
import { proposePoint, type Space } from '../../src/training/search/index.js';
import { type Choice, describe } from './choices.js';
import { errorOf } from './figures.js';
import { type Output, provenanceOf, type Results, type SetResult, type Trial } from './results.js';
import type { Part, Task } from './tasks.js';
import { measure, type TrialSettings } from './trial.js';

/** Settings of a choice that are searched over. */
export type Searched = 'splitLayer' | 'pooling' | 'codewords' | 'width' | 'beta' | 'lambda' | 'rate';

/** What trials must share to be compared, and a search to go on. */
export interface SearchSetup {
  readonly epochs: number;
  readonly codebooks: number;
  /** Coded bits a second that a trial may use: it is scored by as many of its codebooks as fit. */
  readonly mostBits: number;
  /** Trials that are drawn at random before there is anything to learn from. */
  readonly startup: number;
  readonly space: Space<Searched>;
}

const setupOf = ({ cuts, poolings, trial }: Task): SearchSetup => ({
  epochs: trial.epochs,
  codebooks: 4,
  mostBits: 100,
  startup: 6,
  space: {
    splitLayer: { kind: 'choice', values: cuts.map(({ splitLayer }) => splitLayer) },
    pooling: { kind: 'choice', values: poolings },
    codewords: { kind: 'choice', values: [16, 64, 256, 1024] },
    width: { kind: 'choice', values: [16, 32, 64, 128] },
    beta: { kind: 'real', low: 0.02, high: 4, logarithmic: true },
    lambda: { kind: 'real', low: 1e-5, high: 1e-2, logarithmic: true },
    rate: { kind: 'real', low: 1e-4, high: 3e-3, logarithmic: true },
  },
});

/** What the search makes small, and what it was read at. */
export interface Objective {
  /** Errors on validation recordings; 1 where not even one codebook fits. */
  readonly objective: number;
  /** Codebooks that fit; 0 where none does. */
  readonly k: number;
}

export interface SearchRow extends Trial, Objective {
  /** Why there is nothing of this trial but its choice: its training came to numbers that are NaN or infinite. */
  readonly failed?: string;
}

export interface SearchResults extends Results<SearchRow> {
  readonly setup: SearchSetup;
}

const fileOf = (folder: string, { name }: Task): string => join(folder, `search-${name}.jsonl`);

/** A search that is there; null where there is none. Its first line is what it is, each other one a trial. */
export function readSearch(folder: string, task: Task): SearchResults | null {
  const file = fileOf(folder, task);
  if (!existsSync(file)) return null;
  const [head, ...rows] = readFileSync(file, 'utf8').trim().split('\n');
  return { ...JSON.parse(head!), rows: rows.map((row) => JSON.parse(row)) } as SearchResults;
}

/** The whole file anew, so that no line is ever half of one. */
async function writeSearch(folder: string, task: Task, { rows, ...head }: SearchResults): Promise<void> {
  const lines = [head, ...rows].map((line) => `${JSON.stringify(line)}\n`);
  await writeWhole(fileOf(folder, task), lines.join(''));
}

/** Errors with as many codebooks as the bits allow; all are wrong where not even one fits. */
export function objectiveOf(set: SetResult, metric: Task['metric'], mostBits: number): Objective {
  const fitting = set.points.filter(({ coded }) => coded <= mostBits).at(-1);
  return fitting === undefined
    ? { objective: 1, k: 0 }
    : { objective: errorOf(fitting, metric).error, k: fitting.k };
}

/** What a row is shown by: the codebooks that fit, or one where none does; undefined where training failed. */
export const usedPoint = ({ k, sets }: Pick<SearchRow, 'k' | 'sets'>) =>
  sets['validation']?.points.find((point) => point.k === Math.max(1, k));

/** Trials that fit, those with the fewest errors first, then those with the fewest bits. */
export const best = <R extends Objective & Pick<Trial, 'sets'>>(rows: readonly R[], most: number): R[] =>
  rows
    .filter(({ k }) => k > 0)
    .sort((a, b) => a.objective - b.objective || usedPoint(a)!.coded - usedPoint(b)!.coded)
    .slice(0, most);

/** Throws UsageError where trials that were made could not be compared with those to come. */
function requireSame(before: SearchResults, seed: number, setup: SearchSetup, file: string): void {
  const same = before.seed === seed && JSON.stringify(before.setup) === JSON.stringify(setup);
  if (same) return;
  throw new UsageError(
    `search: ${file} is of another search, with seed ${before.seed} and ${before.setup.epochs} epochs a trial: a search goes on ` +
      'with the same seed, epochs, codebooks, bits and ranges of settings; say --out for a new one',
  );
}

/** A choice as `measured` has it, with its objective; null where the signal ended it. */
async function rowOf(
  choice: Choice,
  measured: () => Promise<Trial | null>,
  objective: (trial: Trial) => Objective,
): Promise<SearchRow | null> {
  const begun = performance.now();
  try {
    const trial = await measured();
    return trial === null ? null : { ...trial, ...objective(trial) };
  } catch (error) {
    // At a step and without a cause: numbers that are none. The trial would be proposed again, and fail again, for ever.
    if (!(error instanceof TrainingError) || error.step === undefined || error.cause !== undefined) {
      throw error;
    }
    const seconds = Math.round((performance.now() - begun) / 1000);
    return { choice, seconds, losses: [], sets: {}, objective: 1, k: 0, failed: error.message };
  }
}

/** Goes on to so many trials in all; false where the signal ended it. `measured` is for tests, which train nothing. */
export async function search(
  parts: readonly Part[],
  { out, command, say, trials }: Output & { readonly trials: number },
  settings: TrialSettings,
  measured: typeof measure = measure,
): Promise<boolean> {
  const { task, options } = settings;
  const { seed, signal } = options;
  const setup = setupOf(task);
  const { epochs, codebooks, mostBits, startup, space } = setup;
  const before = readSearch(out, task);
  if (before !== null) requireSame(before, seed, setup, fileOf(out, task));
  const provenance = { ...provenanceOf('search', task.name, seed, command), setup };
  const rows = [...(before?.rows ?? [])];
  while (rows.length < trials) {
    if (signal.aborted) return false;
    // By the number of the trial: what is proposed does not depend on where a search was ended.
    const random = createRandom(seed * 10_007 + rows.length);
    const observations = rows.map(({ choice, objective }) => ({ point: choice, loss: objective }));
    const point = proposePoint(space, observations, random, { startup });
    const choice: Choice = { losses: 'both', codebooks, epochs, ...point };
    const row = await rowOf(
      choice,
      () => measured(parts, choice, { ...settings, tests: false }),
      ({ sets }) => objectiveOf(sets['validation']!, task.metric, mostBits),
    );
    if (row === null) return false;
    rows.push(row);
    await writeSearch(out, task, { ...provenance, rows });
    say(`trial ${rows.length} of ${trials}: ${lineOf(row)}`);
  }
  say('best:');
  for (const row of best(rows, 5)) say(`  ${lineOf(row)}`);
  return true;
}

function lineOf(row: SearchRow): string {
  const { choice, objective, k, seconds, failed } = row;
  const { beta, width, lambda, rate } = choice;
  const scored =
    failed ??
    `${(100 * objective).toFixed(2)} % wrong with ${k} at ${usedPoint(row)!.coded.toFixed(0)} bit/s`;
  return (
    `${scored}; ${describe({ ...choice, beta: Number(beta.toPrecision(2)) })}, width ${width}, ` +
    `lambda ${lambda.toExponential(1)}, learning ${rate.toExponential(1)}; ${seconds} s`
  );
}
