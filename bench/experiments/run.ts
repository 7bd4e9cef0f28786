/**
 * npm run experiments -- NAME TASK [--runs runs] [--data ../shared/data] [--out folder] [--epochs n] [--seed n] [--workers n]
 *                          [--trials n]
 *
 * The experiments of README.md beside this file. They begin with networks that `npm run train:TASK` made, and go on where
 * they were ended.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { UsageError } from '../../src/tensor/index.js';
import type { RecipeOptions } from '../../src/training/recipes/recipe.js';
import { repository } from '../../test/support/shared.js';
import { criterionChoices, layerChoices, lossChoices, rateChoices } from './choices.js';
import { coders } from './coders.js';
import { criterion } from './criterion.js';
import { depth } from './depth.js';
import { RESULTS } from './results.js';
import { robustness } from './robustness.js';
import { search } from './search.js';
import { sweep } from './sweep.js';
import { type Part, type Task, taskOf, testedParts } from './tasks.js';
import type { TrialSettings } from './trial.js';

interface Context {
  readonly task: Task;
  readonly parts: readonly Part[];
  readonly settings: TrialSettings;
  readonly out: string;
  readonly command: string;
  /** Of a search. */
  readonly trials: number;
}

const say = (line: string): void => console.log(line);

const EXPERIMENTS: Readonly<Record<string, (context: Context) => Promise<boolean>>> = {
  layers: ({ task, parts, ...context }) =>
    sweep(parts, { name: 'layers', choices: layerChoices(task), say, ...context }, context.settings),
  rates: ({ task, parts, ...context }) =>
    sweep(
      parts,
      { name: 'rates', choices: rateChoices(task, parts[0]!.phases.coding), say, ...context },
      context.settings,
    ),
  losses: ({ task, parts, ...context }) =>
    sweep(
      parts,
      { name: 'losses', choices: lossChoices(task, parts[0]!.phases.coding), say, ...context },
      context.settings,
    ),
  criterion: ({ task, parts, ...context }) =>
    criterion(
      parts,
      { choices: criterionChoices(task, parts[0]!.phases.coding), say, ...context },
      context.settings,
    ),
  coders: ({ parts, ...context }) => coders(parts, { say, ...context }, context.settings),
  search: ({ parts, settings, out, trials }) => search(parts, { out, trials, say }, settings),
  robustness: ({ parts, ...context }) => robustness(parts, { say, ...context }, context.settings),
  depth: ({ parts, ...context }) => depth(parts, { say, ...context }, context.settings),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: join(repository, 'runs') },
    data: { type: 'string', default: join(repository, '../shared/data') },
    out: { type: 'string', default: RESULTS },
    epochs: { type: 'string' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string' },
    trials: { type: 'string', default: '20' },
  },
});

async function main(): Promise<void> {
  const [name = '', taskName] = positionals;
  const experiment = EXPERIMENTS[name];
  if (experiment === undefined) {
    throw new UsageError(
      `experiments: there is no ${name === '' ? 'experiment named' : name}; there are ${Object.keys(EXPERIMENTS).join(', ')}`,
    );
  }
  const known = taskOf(taskName);
  const task: Task =
    values.epochs === undefined
      ? known
      : { ...known, trial: { ...known.trial, epochs: Number(values.epochs) } };
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  const options: RecipeOptions = {
    data: values.data,
    out: join(values.runs, task.name),
    seed: Number(values.seed),
    ...(values.workers === undefined ? {} : { workers: Number(values.workers) }),
    resume: true,
    signal: controller.signal,
    report: (progress) => {
      if (progress.kind === 'note') say(progress.text);
    },
  };
  const settings: TrialSettings = {
    task,
    runs: values.runs,
    options,
  };
  const parts = await testedParts(task, options);
  const command = `npm run experiments -- ${[name, task.name, ...(values.epochs ? ['--epochs', values.epochs] : [])].join(' ')}`;
  const isDone = await experiment({
    task,
    parts,
    settings,
    out: values.out,
    command,
    trials: Number(values.trials),
  });
  if (!isDone) {
    say(`stopped; the same command goes on`);
    process.exitCode = 1;
  }
}

await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
