/** One timed piece of work by benchmark.js: the one file that imports it. */
import Benchmark from 'benchmark';
import { type Summary, summarize } from './statistics.js';

/** Work that is done when it returns, or when the promise it returns is kept. */
export type Work = () => void | Promise<void>;

/** Runs `work` over and over for about `maxSeconds`, and gives the seconds of one run. */
export async function measure(work: Work, maxSeconds = 1): Promise<Summary> {
  const started = work();
  const asynchronous = started instanceof Promise;
  await started;
  const options = { maxTime: maxSeconds, minSamples: 7 };
  const deferred = (deferred: Benchmark.Deferred) => {
    (work() as Promise<void>).then(
      () => deferred.resolve(),
      // benchmark.js has no other way to learn of a failure.
      (error: Error) => {
        bench.error = error;
        bench.abort();
        deferred.resolve();
      },
    );
  };
  const bench: Benchmark = asynchronous
    ? new Benchmark('work', { ...options, defer: true, fn: deferred })
    : new Benchmark('work', { ...options, fn: work });
  await new Promise<void>((resolve) => {
    bench.on('complete', () => resolve());
    bench.run({ async: asynchronous });
  });
  if (bench.error) throw bench.error;
  return summarize(bench.stats.sample);
}
