/**
 * npm run bench -- [filter] [--seconds n]: every variant of every kernel on the sizes of real models, then the
 * halves of the shipped model, then the limit of the machine. Each kernel is checked before it is timed. A filter
 * is words that must all be in a name: `npm run bench -- matmul simd`.
 */
import { parseArgs } from 'node:util';
import { useThreads } from '../src/ops/index.js';
import { halfNames, timeHalves } from './halves.js';
import { kernelNames, timeKernels, titleOf } from './kernels.js';
import { measurePeak, type PeakName } from './peak.js';
import { describeMachine, giga, percent, thisMachine, time } from './report.js';
import { observed } from './sink.js';
import type { Summary } from './statistics.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '0.5' } },
});
const words = positionals.flatMap((word) => word.toLowerCase().split(/\s+/)).filter((word) => word !== '');
const wanted = (title: string) => words.every((word) => title.toLowerCase().includes(word));
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error(`--seconds is ${values.seconds}; use a number above 0`);

/** The peaks in GFLOP/s, measured again at the end: the better counts. */
const peaks = new Map<PeakName, number>();
function notePeaks(): void {
  for (const name of ['simd', 'relaxed'] as const) {
    const found = measurePeak(name);
    if (found !== null) peaks.set(name, Math.max(found / 1e9, peaks.get(name) ?? 0));
  }
}

const line = (title: string, { median, spread }: Summary, rest: string) => {
  const spreads = `± ${(100 * spread).toFixed(0).padStart(2)} %`;
  console.log(`${title.padEnd(78)} ${time(median).padStart(10)} ${spreads}  ${rest}`);
};

async function run(): Promise<void> {
  useThreads(1);
  console.log(describeMachine(thisMachine()));
  console.log('medians; the spread is half the middle half; the last column is the share of the SIMD peak');
  notePeaks();
  for await (const row of timeKernels(wanted, seconds)) {
    if ('reason' in row) {
      console.log(`${row.kernel}, ${row.variant}: not here: ${row.reason}`);
      continue;
    }
    const { kernel, variant, workload, took, operations, bytes } = row;
    // Plain loops and the simple SIMD variant can't fuse; what they can reach is the peak of two instructions.
    const peak = peaks.get(variant === 'relaxed' ? 'relaxed' : 'simd');
    const speed = giga(operations, took.median);
    const share = peak === undefined ? '' : `  ${percent(speed / peak).padStart(5)}`;
    const rates = `${speed.toFixed(2).padStart(6)} GFLOP/s ${giga(bytes, took.median).toFixed(2).padStart(6)} GB/s`;
    line(titleOf(kernel, variant, workload), took, rates + share);
  }
  for await (const { name, took, seconds: speech } of timeHalves(wanted, 2 * seconds)) {
    line(name, took, `${(speech / took.median).toFixed(0)} times faster than real time`);
  }
  notePeaks();
  for (const [name, peak] of peaks) {
    const how = name === 'simd' ? 'multiplications and additions' : 'fused multiply-adds (relaxed SIMD)';
    console.log(`the peak of this machine, ${how} on registers: ${peak.toFixed(1)} GFLOP/s`);
  }
  console.log(`sum over all results: ${observed()}`);
}

const { kernels, variants, workloads, titles } = kernelNames();
if ([...titles, ...halfNames()].some(wanted)) {
  await run();
} else {
  console.error(`nothing is named "${words.join(' ')}". There are
  kernels    ${kernels.join(', ')}
  variants   ${variants.join(', ')}
  workloads  ${workloads.join('\n             ')}
  and        ${halfNames().join('\n             ')}`);
  process.exitCode = 1;
}
