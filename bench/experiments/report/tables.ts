/** What the sections of the report share: results as they are found, scores and tables as they are shown. */
import { type Choice, isOfTrial } from '../choices.js';
import { errorOf } from '../figures.js';
import {
  type Provenance,
  RESULTS,
  type Results,
  readResults,
  type SetResult,
  type StoredScore,
  type Trial,
} from '../results.js';
import { TASK_NAMES, TASKS, type TaskName } from '../tasks.js';

export const TITLES: Readonly<Record<TaskName, string>> = {
  commands: 'spoken commands',
  esc10: 'ESC-10',
  keywords: 'keywords',
};

export interface Section {
  readonly title: string;
  readonly body: readonly string[];
  readonly figure?: { readonly name: string; readonly svg: string; readonly alt: string };
  readonly from: readonly Provenance[];
}

/** Trials of a sweep, of the tasks' own short training. */
export const trials = (experiment: string, folder = RESULTS) =>
  all<Trial>(experiment, folder).map(({ task, results }) => ({
    task,
    results: { ...results, rows: results.rows.filter(({ choice }) => isOfTrial(choice, TASKS[task])) },
  }));

/** Results of an experiment, of the tasks that have any. */
export function all<T>(
  experiment: string,
  folder = RESULTS,
): { readonly task: TaskName; readonly results: Results<T> }[] {
  return TASK_NAMES.flatMap((task) => {
    const results = readResults<T>(folder, experiment, task);
    return results === null ? [] : [{ task, results }];
  });
}

export const percent = (part: number): string => (100 * part).toFixed(1);

/** 12.3 (9.8 to 15.1) */
export function shown(score: StoredScore, task: TaskName): string {
  const { error, low, high } = errorOf(score, TASKS[task].metric);
  return `${percent(error)} (${percent(low)} to ${percent(high)})`;
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, n) => (n === 0 ? '---' : '---:'))), ...rows.map(line), ''];
}

/** The set that a sweep is looked at on: what choices may be made by. */
export const validationOf = (trial: Trial): SetResult => trial.sets['validation']!;

export const lossesName = ({ losses }: Choice): string =>
  losses === 'k-means'
    ? 'k-means, nothing trained'
    : losses === 'task'
      ? 'task loss alone'
      : 'task loss and RVQ terms';

/** Name of the test set that figures show. */
export const TEST_SETS: Readonly<Record<TaskName, string>> = {
  commands: 'test-unseen',
  esc10: 'held-out',
  keywords: 'test-words',
};
