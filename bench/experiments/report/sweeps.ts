/** Sections of the sweeps: cuts, rates, losses. */
import type { Choice } from '../choices.js';
import type { CoderRow } from '../coders.js';
import { type CurveFigure, curves, type ErrorRate, errorOf, type Point } from '../figures.js';
import type { SetResult } from '../results.js';
import { TASKS, type TaskName } from '../tasks.js';
import {
  all,
  lossesName,
  type Section,
  shown,
  TEST_SETS,
  TITLES,
  table,
  trials,
  validationOf,
} from './tables.js';

/** The largest number of bits that is looked at of each cut: two codebooks of those with as many vectors. */
function budgetOf(task: TaskName, { splitLayer }: Choice): number {
  return TASKS[task].cuts.find((cut) => cut.splitLayer === splitLayer)?.codebooks ?? 2;
}

export async function layers(): Promise<Section | null> {
  const found = trials('layers');
  if (found.length === 0) return null;
  const body: string[] = [];
  const points: Point[] = [];
  const levels: ({ panel: string } & ErrorRate)[] = [];
  for (const { task, results } of found) {
    const { metric } = TASKS[task];
    const panel = TITLES[task];
    // Of the network that all begin with: a short training moves its own.
    const before = results.rows.find(({ choice }) => choice.losses === 'k-means')?.losses[0] ?? 0;
    const rows = results.rows.map((trial) => {
      const { choice, losses } = trial;
      const set = validationOf(trial);
      const k = budgetOf(task, choice);
      const point = set.points[k - 1]!;
      points.push({ panel, series: lossesName(choice), x: choice.splitLayer, ...errorOf(point, metric) });
      return [
        String(choice.splitLayer),
        lossesName(choice),
        point.raw.toFixed(0),
        point.coded.toFixed(0),
        shown(point, task),
        (losses[k]! - before).toFixed(2),
      ];
    });
    const { continuous, recordings } = validationOf(results.rows[0]!);
    levels.push({ panel, ...errorOf(continuous, metric) });
    body.push(
      `${panel}, ${recordings} validation recordings, ${continuous.total} ${metric === 'accuracy' ? 'labels' : 'words'}; the continuous network: ${shown(continuous, task)} % wrong.`,
      '',
      ...table(
        ['cut after layer', 'codes by', 'raw bit/s', 'coded bit/s', '% wrong (95 % interval)', 'loss added'],
        rows,
      ),
    );
  }
  const svg = await curves({
    title: 'The same bits at every cut',
    subtitle: 'validation recordings; dashed line and band: the continuous network; bars: 95 % intervals',
    xTitle: 'layers on the device',
    yTitle: 'errors',
    points,
    levels,
    series: ['k-means, nothing trained', 'task loss and RVQ terms'],
  });
  return {
    title: 'Where to cut',
    body,
    figure: { name: 'layers', svg, alt: 'errors over the cut, with and without training' },
    from: found.map(({ results }) => results),
  };
}

/** Bits a second that the answers themselves are worth, were all equally likely. */
function floorOf(task: TaskName, set: SetResult): number {
  const classes = { commands: 20, esc10: 10, keywords: 12 }[task];
  const answers = task === 'commands' ? set.continuous.total : set.recordings;
  return (answers * Math.log2(classes)) / set.seconds;
}

export async function rates(): Promise<Section | null> {
  const found = trials('rates');
  if (found.length === 0) return null;
  const full = new Map(all<CoderRow>('coders').map(({ task, results }) => [task, results.rows]));
  const body: string[] = [];
  const points: Point[] = [];
  const levels: ({ panel: string } & ErrorRate)[] = [];
  for (const { task, results } of found) {
    const { metric } = TASKS[task];
    const panel = TITLES[task];
    const test = TEST_SETS[task];
    const rows: string[][] = [];
    for (const { choice, sets } of results.rows) {
      for (const point of sets[test]!.points) {
        const series = choice.losses === 'both' ? 'short training' : 'k-means';
        points.push({ panel, series, x: point.coded, ...errorOf(point, metric) });
        rows.push([
          lossesName(choice),
          String(choice.pooling),
          `${point.k} x ${choice.codewords}`,
          point.raw.toFixed(1),
          point.entropy.toFixed(1),
          point.coded.toFixed(1),
          shown(point, task),
        ]);
      }
    }
    for (const { kind, set, bitRate, score } of full.get(task) ?? []) {
      if (kind !== 'acom' || set !== test) continue;
      points.push({ panel, series: 'whole training', x: bitRate, ...errorOf(score, metric) });
    }
    const set = results.rows[0]!.sets[test]!;
    levels.push({ panel, ...errorOf(set.continuous, metric) });
    body.push(
      `${panel}, ${set.recordings} test recordings of ${set.seconds.toFixed(0)} s; the continuous network: ${shown(set.continuous, task)} % wrong. ` +
        `The answers themselves, were all equally likely, are ${floorOf(task, set).toFixed(1)} bit/s.`,
      '',
      '<details><summary>All points</summary>',
      '',
      ...table(
        [
          'codes by',
          'steps to a vector',
          'codebooks',
          'raw bit/s',
          'entropy',
          'coded',
          '% wrong (95 % interval)',
        ],
        rows,
      ),
      '</details>',
      '',
    );
  }
  const figure: CurveFigure = {
    title: 'What the rate buys',
    subtitle:
      'test recordings; every byte of every file counted; dashed line and band: the continuous network',
    xTitle: 'coded bit/s',
    yTitle: 'errors',
    points,
    levels,
    series: ['k-means', 'short training', 'whole training'],
    logarithmic: true,
    joined: false,
  };
  return {
    title: 'What the rate buys',
    body,
    figure: { name: 'rates', svg: await curves(figure), alt: 'errors over coded bit rate for three tasks' },
    from: found.map(({ results }) => results),
  };
}

export async function losses(): Promise<Section | null> {
  const found = trials('losses');
  if (found.length === 0) return null;
  const body: string[] = [];
  for (const { task, results } of found) {
    const rows = results.rows.map((trial) => {
      const { points } = validationOf(trial);
      const { choice } = trial;
      const name = lossesName(choice) + (choice.losses === 'both' ? `, beta ${choice.beta}` : '');
      return [name, ...points.map((point) => shown(point, task))];
    });
    const { points, recordings } = validationOf(results.rows[0]!);
    body.push(
      `${TITLES[task]}, ${recordings} validation recordings, % wrong (95 % interval):`,
      '',
      ...table(['codes by', ...points.map(({ raw }) => `${raw.toFixed(0)} bit/s raw`)], rows),
    );
  }
  return { title: 'Which losses', body, from: found.map(({ results }) => results) };
}
