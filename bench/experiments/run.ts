/**
 * npm run experiments -- NAME TASK [options]; --help says which.
 *
 * The experiments of README.md beside this file. They begin with networks that `npm run train:TASK` made, and go on where
 * they were ended.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { trainingReporter } from '../../src/cli/train-progress.js';
import { UsageError } from '../../src/tensor/index.js';
import type { RecipeOptions } from '../../src/training/recipes/recipe.js';
import * as training from '../../src/training/run/index.js';
import { repository } from '../../test/support/shared.js';
import { criterionChoices, layerChoices, lossChoices, rateChoices } from './choices.js';
import { coders } from './coders.js';
import { criterion } from './criterion.js';
import { depth } from './depth.js';
import { RESULTS } from './results.js';
import { robustness } from './robustness.js';
import { search } from './search.js';
import { sweep } from './sweep.js';
import { type Part, TASK_NAMES, type Task, taskOf, testedParts } from './tasks.js';
import type { TrialSettings } from './trial.js';

interface Context {
  readonly task: Task;
  readonly parts: readonly Part[];
  readonly settings: TrialSettings;
  readonly out: string;
  readonly command: string;
  readonly say: (line: string) => void;
  /** Of a search. */
  readonly trials: number;
}

const EXPERIMENTS: Readonly<Record<string, (context: Context) => Promise<boolean>>> = {
  layers: ({ task, parts, ...context }) =>
    sweep(parts, { name: 'layers', choices: layerChoices(task), ...context }, context.settings),
  rates: ({ task, parts, ...context }) =>
    sweep(
      parts,
      { name: 'rates', choices: rateChoices(task, parts[0]!.phases.coding), ...context },
      context.settings,
    ),
  losses: ({ task, parts, ...context }) =>
    sweep(
      parts,
      { name: 'losses', choices: lossChoices(task, parts[0]!.phases.coding), ...context },
      context.settings,
    ),
  criterion: ({ task, parts, ...context }) =>
    criterion(
      parts,
      { choices: criterionChoices(task, parts[0]!.phases.coding), ...context },
      context.settings,
    ),
  coders: ({ parts, ...context }) => coders(parts, { ...context }, context.settings),
  search: ({ parts, ...context }) => search(parts, { ...context }, context.settings),
  robustness: ({ parts, ...context }) => robustness(parts, { ...context }, context.settings),
  depth: ({ parts, ...context }) => depth(parts, { ...context }, context.settings),
};

const USAGE = `usage: npm run experiments -- NAME TASK [options]
  NAME  ${Object.keys(EXPERIMENTS).join(', ')}
  TASK  ${TASK_NAMES.join(', ')}
  --runs FOLDER     of npm run train:TASK (runs)     --data FOLDER    recordings (../shared/data)
  --out FOLDER      of results                       --workers N      threads of training
  --epochs N        of each training                 --trials N       of a search, in all (20)
  --seed N          (1)`;

function argumentsOf() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        runs: { type: 'string', default: join(repository, 'runs') },
        data: { type: 'string', default: join(repository, '../shared/data') },
        out: { type: 'string', default: RESULTS },
        epochs: { type: 'string' },
        seed: { type: 'string', default: '1' },
        workers: { type: 'string' },
        trials: { type: 'string', default: '20' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`);
  }
}

async function main(): Promise<void> {
  const { values, positionals } = argumentsOf();
  if (values.help) return console.log(USAGE);
  const [name = '', taskName] = positionals;
  const experiment = EXPERIMENTS[name];
  if (experiment === undefined || positionals.length !== 2) throw new UsageError(USAGE);
  const known = taskOf(taskName);
  const task: Task =
    values.epochs === undefined
      ? known
      : { ...known, trial: { ...known.trial, epochs: Number(values.epochs) } };
  const trials = Number(values.trials);
  if (!Number.isInteger(trials) || trials < 1) {
    throw new UsageError(`experiments: --trials is ${values.trials}; it is a whole number from 1`);
  }
  const asked = [
    ...(values.epochs === undefined ? [] : ['--epochs', values.epochs]),
    ...(name === 'search' ? ['--trials', values.trials] : []),
  ];
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  const reporter = trainingReporter(training);
  const options: RecipeOptions = {
    data: values.data,
    out: join(values.runs, task.name),
    seed: Number(values.seed),
    ...(values.workers === undefined ? {} : { workers: Number(values.workers) }),
    resume: true,
    signal: controller.signal,
    report: reporter.report,
  };
  try {
    const isDone = await experiment({
      task,
      parts: await testedParts(task, options),
      settings: { task, runs: values.runs, options },
      out: values.out,
      command: `npm run experiments -- ${[name, task.name, ...asked].join(' ')}`,
      say: (text) => reporter.report({ kind: 'note', text }),
      trials,
    });
    if (isDone) return;
    reporter.report({ kind: 'note', text: 'stopped; the same command goes on' });
    process.exitCode = 1;
  } finally {
    reporter.stop();
  }
}

await main().catch((error: unknown) => {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});
