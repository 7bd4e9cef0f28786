/**
 * Candidates side by side in one process: in each round every one of them runs, in an order of its own, so that
 * what the machine's neighbours do falls on all alike. Ratios are taken within a round.
 */
import { shuffled } from '../statistics.js';
import type { Candidate } from './candidates.js';

export interface RoundOptions {
  readonly rounds: number;
  /** Seconds that one sample lasts at least; short work is repeated. */
  readonly sampleSeconds: number;
  readonly random: () => number;
}

export interface Runner extends Pick<Candidate, 'run'> {
  readonly name: string;
}

const WARM_SECONDS = 0.15;
const LEAST_WARM_RUNS = 3;
/** Work that takes longer is run less often: a slow peer shall not cost minutes. */
const MOST_WARM_SECONDS = 0.5;
const MOST_SECONDS = 2;

/** Seconds of one run, on average over `runs`. */
async function sample({ run }: Runner, runs: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < runs; i++) {
    const running = run();
    if (running) await running;
  }
  return (performance.now() - start) / 1e3 / runs;
}

/** Runs until engines have compiled what they compile late; gives seconds of the last run. */
async function warm(runner: Runner): Promise<number> {
  const start = performance.now();
  for (let i = 1; ; i++) {
    const seconds = await sample(runner, 1);
    const spent = (performance.now() - start) / 1e3;
    if ((spent > WARM_SECONDS && i >= LEAST_WARM_RUNS) || spent > MOST_WARM_SECONDS) return seconds;
  }
}

/** Seconds of one run per round, by name; NaN in rounds that were left out. */
export async function interleave(
  runners: readonly Runner[],
  { rounds, sampleSeconds, random }: RoundOptions,
): Promise<Map<string, number[]>> {
  const plans = [];
  for (const runner of runners) {
    const seconds = await warm(runner);
    const runs = Math.max(1, Math.ceil(sampleSeconds / seconds));
    const most = Math.max(1, Math.floor(MOST_SECONDS / (runs * seconds)));
    plans.push({
      runner,
      runs,
      rounds: Math.min(rounds, most),
      samples: new Array<number>(rounds).fill(NaN),
    });
  }
  for (let round = 0; round < rounds; round++) {
    for (const plan of shuffled(plans, random)) {
      if (round < plan.rounds) plan.samples[round] = await sample(plan.runner, plan.runs);
    }
  }
  return new Map(plans.map(({ runner, samples }) => [runner.name, samples]));
}
