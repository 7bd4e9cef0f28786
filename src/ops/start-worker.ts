/** Starts a worker thread in Node. The one file that knows how; `start-worker.browser.ts` is its sibling. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

export function startWorker(code: string, data: unknown): void {
  const worker = new Worker(code, { eval: true, workerData: data });
  // One that does not come up is never asked.
  worker.on('error', () => undefined);
  worker.unref();
}

/** Threads that a process may use without being asked. */
export const defaultThreads = (): number => Math.min(4, availableParallelism());
