/**
 * A worker thread of the trainer: loads the workload, and runs the jobs that it is sent. Weights and gradients lie in memory
 * that all threads see; the messages carry the rest.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { configureKernels } from '../../../kernels/wasm/runtime.js';
import { type KernelChoice, useKernels, useThreads } from '../../ops/dispatch.js';
import { loadWorkload } from './load-workload.js';
import { type Job, type ShardResult, ShardRunner, type Sums } from './shard-runner.js';

export interface WorkerStart {
  readonly url: string;
  readonly options: string;
  readonly memoryBytes: number;
  /** Those of the coordinating thread. */
  readonly kernels: KernelChoice;
  readonly weights: Float32Array;
  readonly buffers: Float32Array;
  /** One for each shard. */
  readonly gradients: readonly Float32Array[];
}

export interface WorkerRequest {
  /** Weights of another version than the last request's are to be copied first. */
  readonly version: number;
  readonly jobs: readonly { readonly job: Job; readonly shard: number }[];
  /** Jobs that are likely to come next. */
  readonly next: readonly Job[];
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly results: readonly (ShardResult | Sums)[] }
  | { readonly kind: 'failed'; readonly message: string; readonly stack: string };

const port = parentPort;
if (port === null) throw new Error('internal: this module runs in a worker thread only');
const start = workerData as WorkerStart;
const reply = (message: WorkerReply): void => port.postMessage(message);

useThreads(1);
useKernels(start.kernels);
configureKernels({ memoryBytes: start.memoryBytes });
const runner = new ShardRunner(await loadWorkload(start.url, start.options));
let version = 0;

async function run({ version: wanted, jobs, next }: WorkerRequest): Promise<void> {
  if (wanted !== version) {
    runner.load(start.weights, start.buffers);
    version = wanted;
  }
  const results: (ShardResult | Sums)[] = [];
  for (const { job, shard } of jobs) {
    results.push(
      job.set === 'training' ? await runner.train(job, start.gradients[shard]!) : await runner.validate(job),
    );
  }
  reply({ kind: 'done', results });
  for (const job of next) runner.announce(job);
}

port.on('message', (request: WorkerRequest) => {
  // An error that is sent as it is loses its class.
  run(request).catch((error: unknown) => {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    reply({ kind: 'failed', message, stack: stack ?? '' });
  });
});
reply({ kind: 'ready' });
