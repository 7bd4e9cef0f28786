/**
 * Times work in Node and in pages alike. benchmark.js, which the other benchmarks use, has a clock of milliseconds in a
 * page, and wants more runs than work of seconds can be given.
 */
import { type Summary, summarize } from './statistics.js';

export type Work = () => unknown;

/** A sample lasts at least so long: clocks of pages tick every 0.1 ms. */
const LEAST_SECONDS = 0.01;
const WARM_UP_SECONDS = 0.03;
/** Of work that takes no time that a clock could show. */
const MOST_WARM_UPS = 10_000;
const FEWEST = 3;
const MOST_SAMPLES = 1000;
/** A run that takes longer is the only one. */
const LONG_SECONDS = 1;

/**
 * The seconds of one run of `work`, which has run before, of samples for about `budget` seconds: three at least, but one
 * where it takes longer than a second.
 */
export async function sample(work: Work, budget: number): Promise<Summary> {
  let [runs, warm] = [0, 0];
  do {
    warm += await timed(work, 1);
    runs++;
  } while (warm < WARM_UP_SECONDS && runs < MOST_WARM_UPS);
  const estimate = warm / runs;
  if (estimate > LONG_SECONDS) return summarize([estimate]);
  const times = Math.min(MOST_WARM_UPS, Math.max(1, Math.ceil(LEAST_SECONDS / estimate)));
  const samples: number[] = [];
  let spent = 0;
  while (samples.length < FEWEST || spent < budget) {
    const seconds = await timed(work, times);
    samples.push(seconds / times);
    spent += seconds;
    if (samples.length >= MOST_SAMPLES) break;
  }
  return summarize(samples);
}

/** Seconds of `times` runs. Work that gives no promise is not waited for, which would take time too. */
async function timed(work: Work, times: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < times; i++) {
    const pending = work();
    if (pending instanceof Promise) await pending;
  }
  return (performance.now() - start) / 1000;
}
