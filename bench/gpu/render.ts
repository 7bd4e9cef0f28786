/** The report of npm run bench:gpu, from what its places found. */
import { time } from '../report.js';
import type { Summary } from '../statistics.js';
import type { GpuTiming, PlaceTimings, Rung } from './place.js';

/** One process or page, and what it found, or why its mode does not run there. */
export interface Place {
  /** For headings: `Node, webgpu`. */
  readonly name: string;
  readonly found: PlaceTimings | string;
}

/** Where the written part of GPU.md ends. */
export const MARK = '<!-- from here on written by npm run bench:gpu -->';

/** A ratio in two digits, and in whole numbers from 10 on. */
export const ratio = (value: number): string =>
  value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toFixed(2);

const seconds = (took: Summary | null): string => (took ? time(took.best) : '');

/** The faster of the variants without a GPU: SIMD, or the reference where there is no SIMD. */
const plain = ({ reference, simd }: GpuTiming): Summary => simd ?? reference;

/** How many times as long as without a GPU; below 1 the mode is faster. */
const against = (timing: GpuTiming, took: Summary): number => took.best / plain(timing).best;

/**
 * The smallest side from which on a mode is faster than SIMD on every larger product too; null where it is not faster on
 * the largest.
 */
export function crossover(ladder: readonly Rung[], took: (rung: Rung) => Summary): number | null {
  let from: number | null = null;
  for (const rung of ladder) {
    const wins = against(rung, took(rung)) < 1;
    from = wins ? (from ?? rung.side) : null;
  }
  return from;
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const table = (head: readonly string[], words: number, rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map((_, i) => (i < words ? '---' : '---:'))), ...rows.map((cells) => row(cells))].join(
    '\n',
  );

const TIMES = ['reference', 'simd', 'whole call', 'device only', 'whole / simd', 'device / simd'];

const timesOf = (timing: GpuTiming): string[] => {
  const { reference, simd, whole, device } = timing;
  const ratios = [ratio(against(timing, whole)), ratio(against(timing, device))];
  return [seconds(reference), seconds(simd), seconds(whole), seconds(device), ...ratios];
};

function transferTable({ transfers }: PlaceTimings): string {
  const rows = transfers.map(({ numbers, upload, readback }) => {
    // Modes without a GPU give the array itself.
    const isThere = readback.best < 1e-6;
    const rate = ({ best }: Summary) => String(Number(((4 * numbers) / 1e6 / best).toPrecision(3)));
    return [
      numbers.toLocaleString('en'),
      seconds(upload),
      rate(upload),
      isThere ? 'nothing to do' : seconds(readback),
      isThere ? '' : rate(readback),
    ];
  });
  return table(['numbers', 'upload', 'MB/s', 'readback', 'MB/s'], 0, rows);
}

/** What the numbers of a place say, in words. */
export function findings({ mode, timings, ladder }: PlaceTimings): string {
  const count = (took: (timing: GpuTiming) => Summary) =>
    timings.filter((timing) => against(timing, took(timing)) < 1).length;
  const wins = (took: (rung: Rung) => Summary, what: string): string => {
    const from = crossover(ladder, took);
    const largest = ladder[ladder.length - 1];
    if (!largest) return `no square product was timed ${what}`;
    if (from !== null) return `square products ${what} are faster than SIMD from ${from} x ${from} on`;
    const behind = ratio(against(largest, took(largest)));
    return `square products ${what} are never faster than SIMD here, and ${behind} times slower at the largest, ${largest.side} x ${largest.side}`;
  };
  const whole = (timing: GpuTiming) => timing.whole;
  const device = (timing: GpuTiming) => timing.device;
  return (
    `Of ${timings.length} workloads \`${mode}\` is faster than SIMD (the reference, where there is no SIMD) in ` +
    `${count(whole)} as a whole call, in ${count(device)} on the device alone. As whole calls, ${wins(whole, 'with upload and readback')}; ` +
    `${wins(device, 'on the device alone')}.`
  );
}

function renderPlace({ name, found }: Place): string {
  if (typeof found === 'string') return `## ${name}\n\nNot here: ${found}.\n`;
  const workloads = found.timings.map((timing) => [
    timing.operation,
    timing.workload,
    (timing.operations / 1e6).toFixed(1),
    String(timing.launches),
    ...timesOf(timing),
  ]);
  const ladder = found.ladder.map((rung) => [`${rung.side} x ${rung.side}`, ...timesOf(rung)]);
  return `## ${name}

On: ${found.device}. ${findings(found)}

${table(['operation', 'workload', 'Mflop', 'launches', ...TIMES], 2, workloads)}

Square products, n x n by n x n:

${table(['n x n', ...TIMES], 0, ladder)}

Numbers to the device and back:

${transferTable(found)}
`;
}

/** All of the report below {@link MARK}. */
export const renderReport = (machine: string, places: readonly Place[]): string =>
  `${MARK}\n\n${machine}\n\n${places.map(renderPlace).join('\n')}`;
