/**
 * Times work in Node and in pages alike. benchmark.js, which the other benchmarks use, has a clock of milliseconds in a
 * page, and wants more runs than work of seconds can be given.
 */
import { type Summary, summarize } from '../statistics.js';

export type Work = () => unknown;

/** A sample lasts at least so long: clocks of pages tick every 0.1 ms. */
const LEAST_SECONDS = 0.01;
const WARM_UP_SECONDS = 0.03;
const FEWEST = 3;

/**
 * The seconds of one run of `work`, of samples for about `budget` seconds: three at least, and one at least where a run
 * takes longer than the budget three times over.
 */
export async function sample(work: Work, budget: number): Promise<Summary> {
  let runs = 0;
  const begun = performance.now();
  do {
    await timed(work, 1);
    runs++;
  } while (performance.now() - begun < 1000 * WARM_UP_SECONDS);
  const estimate = (performance.now() - begun) / 1000 / runs;
  const times = Math.max(1, Math.ceil(LEAST_SECONDS / estimate));
  const fewest = estimate > FEWEST * budget ? 1 : FEWEST;
  const samples: number[] = [];
  let spent = 0;
  while (samples.length < fewest || spent < budget) {
    const seconds = await timed(work, times);
    samples.push(seconds / times);
    spent += seconds;
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
