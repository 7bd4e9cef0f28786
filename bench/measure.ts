/** One timed piece of work by benchmark.js: the one file that imports it. */
import Benchmark from 'benchmark';

export interface Measurement {
  /** Seconds of one run: the median of the samples, and the half-width of their spread as a part of it. */
  readonly seconds: number;
  readonly spread: number;
  readonly samples: number;
}

const median = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;

/** Runs `work` over and over for about `maxSeconds`. */
export function measure(work: () => void, maxSeconds = 1): Measurement {
  let found: Measurement | null = null;
  const bench = new Benchmark('work', { fn: work, maxTime: maxSeconds, minSamples: 7 });
  bench.on('complete', () => {
    const samples = [...bench.stats.sample].sort((a, b) => a - b);
    const quantile = (q: number) => samples[Math.floor(q * (samples.length - 1))] ?? Number.NaN;
    const seconds = median(samples);
    found = { seconds, spread: (quantile(0.75) - quantile(0.25)) / 2 / seconds, samples: samples.length };
  });
  bench.on('error', () => {
    throw bench.error;
  });
  bench.run({ async: false });
  if (found === null) throw new Error('the benchmark did not complete');
  return found;
}
