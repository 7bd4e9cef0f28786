/**
 * Search over cut, codewords, pooling, width, weights of the losses and rate of learning by a Parzen estimator. Every trial is a
 * line of results/search-TASK.jsonl; the next proposal is made from all of them, so that a search goes on where it was ended.
 */
import { existsSync, readFileSync } from 'node:fs';
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createRandom } from '../../src/tensor/index.js';
import { parseJsonLines } from '../../src/training/data/json-lines.js';
import { type Observation, proposePoint } from '../../src/training/search/index.js';
import { type Choice, describe } from './choices.js';
import { errorOf } from './figures.js';
import type { SetResult, Trial } from './results.js';
import type { Part, Task } from './tasks.js';
import { measure, type TrialSettings } from './trial.js';

/** Coded bits a second that a trial may use: its score is that of as many codebooks as fit. */
const MOST_BITS = 100;
const CODEBOOKS = 4;

const spaceOf = ({ cuts, poolings }: Task) =>
  ({
    splitLayer: { kind: 'choice', values: cuts.map(({ splitLayer }) => splitLayer) },
    pooling: { kind: 'choice', values: poolings },
    codewords: { kind: 'choice', values: [16, 64, 256, 1024] },
    width: { kind: 'choice', values: [16, 32, 64, 128] },
    beta: { kind: 'real', low: 0.02, high: 4, logarithmic: true },
    lambda: { kind: 'real', low: 1e-5, high: 1e-2, logarithmic: true },
    rate: { kind: 'real', low: 1e-4, high: 3e-3, logarithmic: true },
  }) as const;

type Tried = Observation<ReturnType<typeof spaceOf>>;

export interface SearchLine extends Tried {
  readonly k: number;
  readonly coded: number;
  readonly seconds: number;
  readonly seed: number;
}

const fileOf = (out: string, task: Task): string => join(out, `search-${task.name}.jsonl`);

/** Trials that were made before. */
export function readTrials(out: string, task: Task): SearchLine[] {
  const file = fileOf(out, task);
  if (!existsSync(file)) return [];
  return parseJsonLines(file, readFileSync(file, 'utf8')) as unknown as SearchLine[];
}

/** Errors with as many codebooks as MOST_BITS allow; all are wrong where not even one fits. */
function lossOf(
  set: SetResult,
  task: Task,
): { readonly loss: number; readonly k: number; readonly coded: number } {
  const fitting = set.points.filter(({ coded }) => coded <= MOST_BITS).at(-1);
  if (fitting === undefined) return { loss: 1, k: 0, coded: set.points[0]!.coded };
  return { loss: errorOf(fitting, task.metric).error, k: fitting.k, coded: fitting.coded };
}

export async function search(
  parts: readonly Part[],
  {
    out,
    trials,
    say,
  }: { readonly out: string; readonly trials: number; readonly say: (line: string) => void },
  settings: TrialSettings,
): Promise<boolean> {
  const { task, options } = settings;
  const space = spaceOf(task);
  const lines = readTrials(out, task);
  await mkdir(out, { recursive: true });
  while (lines.length < trials) {
    // By the number of the trial: what is proposed does not depend on where a search was ended.
    const random = createRandom(options.seed * 10_007 + lines.length);
    const point = proposePoint(space, lines, random, { startup: 6 });
    const choice: Choice = { losses: 'both', codebooks: CODEBOOKS, epochs: task.trial.epochs, ...point };
    const trial: Trial | null = await measure(parts, choice, { ...settings, tests: false });
    if (trial === null) return false;
    const { loss, k, coded } = lossOf(trial.sets['validation']!, task);
    const line: SearchLine = { point, loss, k, coded, seconds: trial.seconds, seed: options.seed };
    lines.push(line);
    await appendFile(fileOf(out, task), `${JSON.stringify(line)}\n`);
    say(`trial ${lines.length} of ${trials}: ${textOf(line)}`);
  }
  say('best:');
  for (const line of best(lines)) say(`  ${textOf(line)}`);
  return true;
}

export const best = (lines: readonly SearchLine[]): SearchLine[] =>
  [...lines].sort((a, b) => a.loss - b.loss || a.coded - b.coded).slice(0, 5);

function textOf({ point, loss, k, coded }: SearchLine): string {
  const { width, lambda, rate } = point;
  const choice = describe({
    losses: 'both',
    codebooks: CODEBOOKS,
    ...point,
    beta: Number(point.beta.toPrecision(2)),
  });
  return (
    `${(100 * loss).toFixed(2)} % wrong with ${k} at ${coded.toFixed(0)} bit/s; ${choice}, width ${width}, ` +
    `lambda ${lambda.toExponential(1)}, learning ${rate.toExponential(1)}`
  );
}
