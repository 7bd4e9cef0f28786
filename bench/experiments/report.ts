/**
 * npm run experiments:report: README.md beside this file, tables and figures from the results. Words that need no number are in
 * prose.ts.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../src/training/data/files.js';
import { repository } from '../../test/support/shared.js';
import { type Choice, isOfTrial } from './choices.js';
import type { CoderRow } from './coders.js';
import { spearman } from './correlation.js';
import { type CriterionRow, pointsOf } from './criterion.js';
import type { DepthRow } from './depth.js';
import { type CurveFigure, curves, type ErrorRate, errorOf, grid, type Point, scatter } from './figures.js';
import { PROSE } from './prose.js';
import {
  type Provenance,
  RESULTS,
  type Results,
  readResults,
  type SetResult,
  type StoredScore,
  type Trial,
} from './results.js';
import type { KernelsRow, RobustnessRow } from './robustness.js';
import { TASK_NAMES, TASKS, type TaskName } from './tasks.js';

const FOLDER = join(repository, 'bench/experiments');
const FIGURES = join(FOLDER, 'figures');

const TITLES: Readonly<Record<TaskName, string>> = {
  commands: 'spoken commands',
  esc10: 'ESC-10',
  keywords: 'keywords',
};

interface Section {
  readonly title: string;
  readonly body: readonly string[];
  readonly figure?: { readonly name: string; readonly svg: string; readonly alt: string };
  readonly from: readonly Provenance[];
}

/** Trials of a sweep, of the tasks' own short training. */
const trials = (experiment: string) =>
  all<Trial>(experiment).map(({ task, results }) => ({
    task,
    results: { ...results, rows: results.rows.filter(({ choice }) => isOfTrial(choice, TASKS[task])) },
  }));

/** Results of an experiment, of the tasks that have any. */
function all<T>(experiment: string): { readonly task: TaskName; readonly results: Results<T> }[] {
  return TASK_NAMES.flatMap((task) => {
    const results = readResults<T>(RESULTS, experiment, task);
    return results === null ? [] : [{ task, results }];
  });
}

const percent = (part: number): string => (100 * part).toFixed(1);

/** 12.3 (9.8 to 15.1) */
function shown(score: StoredScore, task: TaskName): string {
  const { error, low, high } = errorOf(score, TASKS[task].metric);
  return `${percent(error)} (${percent(low)} to ${percent(high)})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, n) => (n === 0 ? '---' : '---:'))), ...rows.map(line), ''];
}

/** The set that a sweep is looked at on: what choices may be made by. */
const validationOf = (trial: Trial): SetResult => trial.sets['validation']!;

const lossesName = ({ losses }: Choice): string =>
  losses === 'k-means'
    ? 'k-means, nothing trained'
    : losses === 'task'
      ? 'task loss alone'
      : 'task loss and RVQ terms';

/** The largest number of bits that is looked at of each cut: two codebooks of those with as many vectors. */
function budgetOf(task: TaskName, { splitLayer }: Choice): number {
  return TASKS[task].cuts.find((cut) => cut.splitLayer === splitLayer)?.codebooks ?? 2;
}

async function layers(): Promise<Section | null> {
  const found = trials('layers');
  if (found.length === 0) return null;
  const body: string[] = [];
  const points: Point[] = [];
  const levels: ({ panel: string } & ErrorRate)[] = [];
  for (const { task, results } of found) {
    const { metric } = TASKS[task];
    const panel = TITLES[task];
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
        (losses[k]! - losses[0]!).toFixed(2),
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

/** Name of the test set that figures show. */
const TEST_SETS: Readonly<Record<TaskName, string>> = {
  commands: 'test-unseen',
  esc10: 'held-out',
  keywords: 'test-words',
};

/** Bits a second that the answers themselves are worth, were all equally likely. */
function floorOf(task: TaskName, set: SetResult): number {
  const classes = { commands: 20, esc10: 10, keywords: 12 }[task];
  const answers = task === 'commands' ? set.continuous.total : set.recordings;
  return (answers * Math.log2(classes)) / set.seconds;
}

async function rates(): Promise<Section | null> {
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

async function losses(): Promise<Section | null> {
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

/** What was foretold without training, and the loss that was added after a short one: of layers and rates. */
function trainedPairs(task: TaskName, points: ReturnType<typeof pointsOf>) {
  const key = (splitLayer: number, pooling: number, codewords: number, k: number): string =>
    [splitLayer, pooling, codewords, k].join();
  const known = new Map(
    points.map((point) => [key(point.splitLayer, point.pooling, point.codewords, point.k), point.blocks]),
  );
  const measured = ['layers', 'rates'].flatMap((name) =>
    trials(name).flatMap((found) => (found.task === task ? found.results.rows : [])),
  );
  const continuous = measured.find(({ choice }) => choice.losses === 'k-means')?.losses[0] ?? 0;
  const pairs = new Map<string, { readonly foretold: number; readonly measured: number }>();
  for (const { choice, losses } of measured) {
    if (choice.losses !== 'both') continue;
    for (let k = 1; k <= choice.codebooks; k++) {
      const name = key(choice.splitLayer, choice.pooling, choice.codewords, k);
      const foretold = known.get(name);
      if (foretold !== undefined) pairs.set(name, { foretold, measured: losses[k]! - continuous });
    }
  }
  return [...pairs.values()];
}

async function criterion(): Promise<Section | null> {
  const found = all<CriterionRow>('criterion');
  if (found.length === 0) return null;
  const points: { panel: string; x: number; y: number; cut: string }[] = [];
  const rows = found.map(({ task, results }) => {
    const every = pointsOf(results.rows);
    const each = every.filter(({ pooling }) => pooling === 1);
    const later = trainedPairs(task, every);
    for (const { splitLayer, blocks, measured } of each) {
      points.push({ panel: TITLES[task], x: blocks, y: measured, cut: String(splitLayer) });
    }
    const rank = (of: (point: (typeof each)[number]) => number): string =>
      spearman(
        each.map(of),
        each.map(({ measured }) => measured),
      ).toFixed(2);
    return [
      TITLES[task],
      String(each.length),
      rank(({ blocks }) => blocks),
      rank(({ second }) => second),
      rank(({ foretold }) => foretold),
      rank(({ distortion }) => distortion),
      later.length < 3
        ? ''
        : `${spearman(
            later.map(({ foretold }) => foretold),
            later.map(({ measured }) => measured),
          ).toFixed(2)} of ${later.length}`,
    ];
  });
  const svg = await scatter({
    title: 'Loss that quantising adds: foretold without running it, and measured',
    subtitle: 'each point a choice of cut, codewords and codebooks; validation recordings',
    xTitle: 'foretold (blocks of the second order)',
    yTitle: 'measured',
    points,
  });
  return {
    title: 'A criterion without search',
    body: table(
      [
        'task',
        'choices',
        'second order, by step',
        'second order, whole recordings',
        'first and second order',
        'squared error alone',
        'by step, after a short training',
      ],
      rows,
    ),
    figure: { name: 'criterion', svg, alt: 'foretold and measured loss' },
    from: found.map(({ results }) => results),
  };
}

async function depth(): Promise<Section | null> {
  const found = all<DepthRow>('depth');
  if (found.length === 0) return null;
  const points: { row: string; panel: string; x: number; y: number; series: string }[] = [];
  const body: string[] = [];
  for (const { task, results } of found) {
    const panel = TITLES[task];
    for (const row of results.rows) {
      const add = (name: string, y: number): void => {
        points.push({ row: name, panel, x: row.splitLayer, y, series: name });
      };
      add('effective rank', row.effectiveRank);
      add('code and label, bits', row.information);
      add('left by 32 codewords', row.distortion);
      add('of it at the logits', row.codeAtLogits);
      add('white error at the logits', row.whiteAtLogits[1]!);
    }
    body.push(
      `${panel}:`,
      '',
      ...table(
        [
          'cut after layer',
          'effective rank',
          'of',
          'for 90 %',
          'code and label share, bits',
          'left by 32 codewords',
          'of it at the logits',
          'white errors of 0.1 / 0.3 / 1 at the logits',
        ],
        results.rows.map((row) => [
          String(row.splitLayer),
          row.effectiveRank.toFixed(1),
          String(row.width),
          row.ninety.toFixed(0),
          `${row.information.toFixed(2)} of ${row.labelBits.toFixed(2)}`,
          row.distortion.toFixed(3),
          row.codeAtLogits.toFixed(3),
          row.whiteAtLogits.map((value) => value.toFixed(3)).join(' / '),
        ]),
      ),
    );
  }
  const svg = await grid({
    title: 'What changes with depth',
    subtitle: 'continuous networks on validation recordings; errors as parts of the variance',
    xTitle: 'layers before the cut',
    points,
  });
  return {
    title: 'Why deeper cuts bear coarser codes',
    body,
    figure: { name: 'depth', svg, alt: 'rank, information and errors by depth' },
    from: found.map(({ results }) => results),
  };
}

async function coders(): Promise<Section | null> {
  const found = all<CoderRow>('coders');
  if (found.length === 0) return null;
  const points: Point[] = [];
  const body: string[] = [];
  const names = { acom: 'acom', scalar: 'scalars of the same features', ears: 'coders for ears' } as const;
  for (const { task, results } of found) {
    const { metric } = TASKS[task];
    const rows = results.rows.filter(({ set }) => set === TEST_SETS[task]);
    for (const { kind, bitRate, score } of rows) {
      points.push({ panel: TITLES[task], series: names[kind], x: bitRate, ...errorOf(score, metric) });
    }
    const [first] = rows;
    body.push(
      `${TITLES[task]}, ${TEST_SETS[task]}, ${first?.score.total ?? 0} ${metric === 'accuracy' ? 'recordings' : 'words'}:`,
      '',
      ...table(
        ['coder', 'bit/s', '% wrong (95 % interval)', 'multiply-adds of the device for 1 s'],
        [...rows]
          .sort((a, b) => b.bitRate - a.bitRate)
          .map(({ coder, bitRate, score, deviceMacs }) => [
            coder,
            bitRate.toFixed(0),
            shown(score, task),
            deviceMacs === 0 ? '' : `${(deviceMacs / 1e6).toFixed(1)} million`,
          ]),
      ),
    );
  }
  const svg = await curves({
    title: 'What else could be sent',
    subtitle: 'test recordings, the same network behind every coder; bars: 95 % intervals',
    xTitle: 'bit/s',
    yTitle: 'errors',
    points,
    series: Object.values(names),
    logarithmic: true,
    joined: false,
  });
  return {
    title: 'Against what a user would pick instead',
    body,
    figure: { name: 'coders', svg, alt: 'errors over bit rate of several coders' },
    from: found.map(({ results }) => results),
  };
}

async function robustness(): Promise<Section | null> {
  const found = all<RobustnessRow | KernelsRow>('robustness');
  if (found.length === 0) return null;
  const body: string[] = [];
  const points: Point[] = [];
  for (const { task, results } of found) {
    const rows = results.rows.filter(
      (row): row is RobustnessRow => 'result' in row && row.set === TEST_SETS[task],
    );
    const ks = rows[0]?.result.points.map(({ k }) => k) ?? [];
    for (const { condition, result } of rows) {
      const decibels = /noise, (\d+) dB/.exec(condition);
      if (decibels === null) continue;
      const { metric } = TASKS[task];
      const at = { panel: TITLES[task], x: Number(decibels[1]) };
      points.push({ ...at, series: 'unsplit', ...errorOf(result.continuous, metric) });
      points.push({ ...at, series: 'one codebook', ...errorOf(result.points[0]!, metric) });
      points.push({ ...at, series: 'all codebooks', ...errorOf(result.points.at(-1)!, metric) });
    }
    body.push(
      `${TITLES[task]}, ${TEST_SETS[task]}, % wrong:`,
      '',
      ...table(
        ['recordings', 'unsplit', ...ks.map((k) => `k = ${k}`)],
        rows.map(({ condition, result }) => [
          condition,
          ...[result.continuous, ...result.points].map((score) =>
            percent(errorOf(score, TASKS[task].metric).error),
          ),
        ]),
      ),
    );
    const kernels = results.rows.find(
      (row): row is KernelsRow => row.condition === 'kernels' && row.set === TEST_SETS[task],
    );
    if (kernels !== undefined && 'codes' in kernels) {
      body.push(
        `A device with the reference kernels, which add in another order, sends ${kernels.different} of ${kernels.codes} codes otherwise ` +
          `than one with SIMD kernels (${kernels.recordings} recordings); of ${kernels.heardDifferently} recordings the cloud then makes something else.`,
        '',
      );
    }
  }
  const svg = await curves({
    title: 'Noise',
    subtitle: 'test recordings with pink noise; bars: 95 % intervals',
    xTitle: 'signal to noise, dB',
    yTitle: 'errors',
    points,
    series: ['unsplit', 'one codebook', 'all codebooks'],
  });
  return {
    title: 'Worse recordings',
    body,
    figure: { name: 'robustness', svg, alt: 'errors over signal-to-noise ratio' },
    from: found.map(({ results }) => results),
  };
}

/** Where a section's numbers come from. */
function sources(from: readonly Provenance[]): string[] {
  const lines = from.map(
    ({ command, seed, commit, date, machine }) =>
      `\`${command}\` (seed ${seed}, commit ${commit}, ${date}; ${machine.processor}, ${machine.cores} cores, Node ${machine.node})`,
  );
  return [
    '<details><summary>Made by</summary>',
    '',
    ...lines.map((line) => `- ${line}`),
    '',
    '</details>',
    '',
  ];
}

const SECTIONS = { layers, rates, losses, criterion, depth, coders, robustness } as const;

async function main(): Promise<void> {
  const text: string[] = [...PROSE.head, ''];
  await mkdir(FIGURES, { recursive: true });
  for (const [name, make] of Object.entries(SECTIONS)) {
    const section = await make();
    if (section === null) continue;
    const { title, body, figure, from } = section;
    text.push(`## ${title}`, '');
    if (figure !== undefined) {
      await writeWhole(join(FIGURES, `${figure.name}.svg`), figure.svg);
      text.push(`![${figure.alt}](figures/${figure.name}.svg)`, '');
    }
    text.push(...PROSE.sections[name as keyof typeof SECTIONS], '', ...body, ...sources(from));
  }
  const file = join(FOLDER, 'README.md');
  await writeWhole(file, `${text.join('\n').trimEnd()}\n`);
  console.log(`${existsSync(file) ? 'written' : 'not written'}: ${file}`);
}

await main();
