/** Sections of other coders and of worse recordings. */
import type { CoderRow } from '../coders.js';
import { curves, errorOf, type Point } from '../figures.js';
import type { KernelsRow, RobustnessRow } from '../robustness.js';
import { TASKS } from '../tasks.js';
import { all, percent, type Section, shown, TEST_SETS, TITLES, table } from './tables.js';

export async function coders(): Promise<Section | null> {
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

export async function robustness(): Promise<Section | null> {
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
