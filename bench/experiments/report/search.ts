/** Section of the search: the best trials, what they were chosen from, and how they compare with what was chosen by hand. */
import { describe } from '../choices.js';
import { curves, errorOf, type Point } from '../figures.js';
import { RESULTS } from '../results.js';
import {
  best,
  objectiveOf,
  readSearch,
  type Searched,
  type SearchResults,
  type SearchRow,
  usedPoint,
} from '../search.js';
import { TASK_NAMES, TASKS, type TaskName } from '../tasks.js';
import { percent, type Section, shown, TITLES, table, trials, validationOf } from './tables.js';

/** Trials of the table. */
const SHOWN = 8;

const SERIES = ['drawn at random', 'proposed', 'not one codebook fits'] as const;

const SETTINGS: Readonly<Record<Searched, string>> = {
  splitLayer: 'cut after layer',
  pooling: 'steps to a vector',
  codewords: 'codewords',
  width: 'most numbers of a vector',
  beta: 'beta',
  lambda: 'lambda',
  rate: 'rate of learning',
};

const short = (value: number): string => (value < 1e-3 ? value.toExponential() : String(value));

/** What was searched over: values, or from and to. */
function spaceText({ space }: SearchResults['setup']): string {
  const each = Object.entries(SETTINGS).map(([name, title]) => {
    const dimension = space[name as Searched];
    if (dimension.kind === 'choice') return `${title} ${dimension.values.join(', ')}`;
    const { low, high, logarithmic } = dimension;
    return `${title} ${short(low)} to ${short(high)}${logarithmic ? ' (logarithmic)' : ''}`;
  });
  return `Searched over: ${each.join('; ')}.`;
}

const median = (values: readonly number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
};

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

const errorsAt = (row: SearchRow, task: TaskName): string => {
  const point = usedPoint(row)!;
  const codebooks = counted(row.k, 'codebook', 'codebooks');
  return `${shown(point, task)} % wrong with ${codebooks} at ${point.coded.toFixed(0)} bit/s`;
};

/** The best under the same limit of what the sweeps chose by hand, where they were measured on as many recordings. */
function bestOfSweeps(
  task: TaskName,
  recordings: number,
  mostBits: number,
  folder: string,
): SearchRow | undefined {
  const rows = ['layers', 'rates', 'losses'].flatMap((name) =>
    trials(name, folder).flatMap((found) => (found.task === task ? found.results.rows : [])),
  );
  const same = rows.filter((row) => validationOf(row).recordings === recordings);
  return best(
    same.map((row) => ({ ...row, ...objectiveOf(validationOf(row), TASKS[task].metric, mostBits) })),
    1,
  )[0];
}

/** What the trials come to, in sentences. */
function findings(task: TaskName, { setup, rows }: SearchResults, folder: string): string {
  const { mostBits, startup } = setup;
  const limit = `${mostBits} bit/s`;
  const text: string[] = [];
  const [first] = best(rows, 1);
  if (first === undefined) {
    text.push(`Not one trial fits under ${limit}.`);
  } else {
    text.push(`The best is trial ${rows.indexOf(first) + 1} of ${rows.length}: ${errorsAt(first, task)}.`);
    const fitting = rows.filter(({ k }) => k > 0);
    const like = fitting.filter(
      (row) => row !== first && errorOf(usedPoint(row)!, TASKS[task].metric).low <= first.objective,
    );
    if (fitting.length > 1) {
      text.push(
        `Its errors are inside the intervals of ${like.length} of the other ${fitting.length - 1} that fit: chance may have put them behind it.`,
      );
    }
    const [drawn, proposed] = [rows.slice(0, startup), rows.slice(startup)].map((part) =>
      part.filter(({ k }) => k > 0).map(({ objective }) => objective),
    ) as [number[], number[]];
    if (drawn.length > 0 && proposed.length > 0) {
      text.push(
        `Of those that fit, the ${drawn.length} drawn at random have a median of ${percent(median(drawn))} % and a best of ` +
          `${percent(Math.min(...drawn))} %, the ${proposed.length} proposed a median of ${percent(median(proposed))} % and a best of ` +
          `${percent(Math.min(...proposed))} %.`,
      );
    }
    const { recordings } = validationOf(first);
    const byHand = bestOfSweeps(task, recordings, mostBits, folder);
    if (byHand !== undefined) {
      text.push(
        `Under the same limit the best of the sweeps has ${errorsAt(byHand, task)} (${describe(byHand.choice)}).`,
      );
    }
  }
  const failed = rows.filter((row) => row.failed !== undefined).length;
  const over = rows.filter(({ k }) => k === 0).length - failed;
  if (over > 0) text.push(`Of ${counted(over, 'trial', 'trials')} not one codebook fits.`);
  if (failed > 0) {
    text.push(
      `The training of ${counted(failed, 'trial', 'trials')} came to numbers that are NaN or infinite.`,
    );
  }
  return text.join(' ');
}

function tableOf(task: TaskName, { rows }: SearchResults): string[] {
  return table(
    [
      'trial',
      '% wrong (95 % interval)',
      'coded bit/s',
      'codebooks',
      'cut after layer',
      'steps to a vector',
      'most numbers of a vector',
      'beta',
      'lambda',
      'rate of learning',
      'without the quantiser, % wrong',
    ],
    best(rows, SHOWN).map((row) => {
      const { choice, k } = row;
      const point = usedPoint(row)!;
      return [
        String(rows.indexOf(row) + 1),
        shown(point, task),
        point.coded.toFixed(1),
        `${k} x ${choice.codewords}`,
        String(choice.splitLayer),
        String(choice.pooling),
        String(choice.width),
        String(Number(choice.beta.toPrecision(2))),
        choice.lambda.toExponential(1),
        choice.rate.toExponential(1),
        percent(errorOf(validationOf(row).continuous, TASKS[task].metric).error),
      ];
    }),
  );
}

/** Trials as the figure has them; those whose training failed have no point. */
const pointsOf = (task: TaskName, { setup, rows }: SearchResults): Point[] =>
  rows.flatMap((row, n) => {
    const point = usedPoint(row);
    if (point === undefined) return [];
    const series = SERIES[row.k === 0 ? 2 : n < setup.startup ? 0 : 1];
    return [{ panel: TITLES[task], series, x: point.coded, ...errorOf(point, TASKS[task].metric) }];
  });

export async function search(folder = RESULTS): Promise<Section | null> {
  const found = TASK_NAMES.flatMap((task) => {
    const results = readSearch(folder, TASKS[task]);
    return results === null ? [] : [{ task, results }];
  });
  if (found.length === 0) return null;
  const body: string[] = [];
  for (const { task, results } of found) {
    const { setup, rows } = results;
    const { epochs, codebooks, mostBits, startup } = setup;
    const hours = rows.reduce((sum, { seconds }) => sum + seconds, 0) / 3600;
    const measured = rows.find(({ failed }) => failed === undefined);
    const recordings =
      measured === undefined ? '' : `, ${validationOf(measured).recordings} validation recordings`;
    body.push(
      `${TITLES[task]}${recordings}: ${counted(rows.length, 'trial', 'trials')} of ${counted(epochs, 'epoch', 'epochs')} in ` +
        `${hours.toFixed(1)} hours, the first ${Math.min(startup, rows.length)} drawn at random; up to ${codebooks} codebooks under ${mostBits} coded bit/s. ${spaceText(setup)}`,
      '',
      findings(task, results, folder),
      '',
      ...(rows.some(({ k }) => k > 0) ? tableOf(task, results) : []),
    );
  }
  const svg = await curves({
    title: 'Every trial of the search',
    subtitle: 'validation recordings; dotted line: the most bits; bars: 95 % intervals',
    xTitle: 'coded bit/s',
    yTitle: 'errors',
    points: found.flatMap(({ task, results }) => pointsOf(task, results)),
    limits: found.map(({ task, results }) => ({ panel: TITLES[task], x: results.setup.mostBits })),
    series: SERIES,
    logarithmic: true,
    joined: false,
  });
  return {
    title: 'Search',
    body,
    figure: { name: 'search', svg, alt: 'errors over coded bit rate of every trial of the search' },
    from: found.map(({ results }) => results),
  };
}
