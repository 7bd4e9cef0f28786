/** Where jobs run, one after another: a worker thread, or this one. */
import { Worker } from 'node:worker_threads';
import type { ShardResult, ShardRunner, Sums } from './shard-runner.js';
import type { WorkerReply, WorkerRequest, WorkerStart } from './worker.js';

export interface Lane {
  /** Runs jobs; those of training write their gradients into the memory of their shard. One call at a time. */
  run(request: WorkerRequest): Promise<readonly (ShardResult | Sums)[]>;
  close(): Promise<void>;
}

/** Runs jobs in this thread. */
export function hereLane(
  runner: ShardRunner<unknown>,
  { weights, buffers, gradients }: Pick<WorkerStart, 'weights' | 'buffers' | 'gradients'>,
): Lane {
  let version = 0;
  return {
    async run({ version: wanted, jobs }) {
      if (wanted !== version) runner.load(weights, buffers);
      version = wanted;
      const results: (ShardResult | Sums)[] = [];
      for (const { job, shard } of jobs) {
        results.push(
          job.set === 'training' ? await runner.train(job, gradients[shard]!) : await runner.validate(job),
        );
      }
      return results;
    },
    async close() {},
  };
}

interface Waiting {
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (reason: Error) => void;
}

/** Starts a worker thread and waits until it has its workload. An end of the worker fails what waits for it. */
export async function workerLane(start: WorkerStart): Promise<Lane> {
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: start });
  let waiting: Waiting | null = null;
  let ended: Error | null = null;
  const end = (reason: Error): void => {
    ended ??= reason;
    waiting?.reject(ended);
    waiting = null;
  };
  worker.on('message', (reply: WorkerReply) => {
    waiting?.resolve(reply);
    waiting = null;
  });
  worker.on('error', (error) => end(error instanceof Error ? error : new Error(String(error))));
  worker.on('messageerror', end);
  worker.on('exit', (code) => end(new Error(`the worker thread ended with exit code ${code}`)));
  const answer = async (): Promise<WorkerReply> => {
    const reply = await new Promise<WorkerReply>((resolve, reject) => {
      if (ended) reject(ended);
      else waiting = { resolve, reject };
    });
    if (reply.kind === 'failed') throw Object.assign(new Error(reply.message), { stack: reply.stack });
    return reply;
  };
  await answer();
  return {
    async run(request) {
      const reply = answer();
      worker.postMessage(request);
      const found = await reply;
      return found.kind === 'done' ? found.results : [];
    },
    async close() {
      await worker.terminate();
    },
  };
}
