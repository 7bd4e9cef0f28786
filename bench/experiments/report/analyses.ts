/** Sections of the criterion and of what changes with depth. */
import { spearman } from '../correlation.js';
import { type CriterionRow, pointsOf } from '../criterion.js';
import type { DepthRow } from '../depth.js';
import { grid, scatter } from '../figures.js';
import type { TaskName } from '../tasks.js';
import { all, type Section, TITLES, table, trials } from './tables.js';

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

export async function criterion(): Promise<Section | null> {
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

export async function depth(): Promise<Section | null> {
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
