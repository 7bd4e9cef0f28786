/** This project's side: worker threads that share out a batch, each on one core, gradients added up. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Tensor } from '../../src/tensor/index.js';
import { Layout } from '../../src/training/run/layout.js';
import { openTrainingFile } from './batch.js';
import type { LaneReply, LaneRequest, LaneStart } from './lane.js';
import type { Timing, Trainee } from './trainee.js';
import { benchmarkWorkload } from './workload.js';

/** Starts threads; the batch is shared out over the first so many as a call asks for. */
export async function startOurs(path: string, most: number): Promise<Trainee> {
  const layout = new Layout(benchmarkWorkload(openTrainingFile(path)).parameters);
  const gradients = Array.from(
    { length: most },
    () => new Float32Array(new SharedArrayBuffer(4 * layout.size)),
  );
  const workers = gradients.map((room, part) => {
    const workerData: LaneStart = { path, part, gradients: room };
    // Without what the process was started with: a test runner's hooks would load in each thread.
    return new Worker(new URL('./lane.js', import.meta.url), { workerData, execArgv: [] });
  });
  await Promise.all(workers.map((worker) => once(worker, 'message')));

  const ask = async (worker: Worker, request: LaneRequest): Promise<LaneReply> => {
    const reply = once(worker, 'message');
    worker.postMessage(request);
    return (await reply)[0] as LaneReply;
  };
  /** Gradients of all parts, added to the first's. */
  const addUp = (parts: number): void => {
    const [sum, ...others] = gradients.slice(0, parts);
    for (const other of others) for (let i = 0; i < layout.size; i++) sum![i]! += other[i]!;
  };
  /** Passes one after another: no thread begins the next one before all have done theirs, as in training. */
  const run = async (batch: string, parts: number, passes: number): Promise<LaneReply> => {
    const phases: Record<string, number> = {};
    let loss = 0;
    for (let pass = 0; pass < passes; pass++) {
      const request = { batch, parts, passes: 1 };
      const replies = await Promise.all(workers.slice(0, parts).map((worker) => ask(worker, request)));
      addUp(parts);
      loss = replies.reduce((sum, reply) => sum + reply.loss, 0);
      for (const [phase, seconds] of Object.entries(replies[0]!.phases)) {
        phases[phase] = (phases[phase] ?? 0) + seconds;
      }
    }
    return { loss, phases };
  };
  return {
    async pass(batch, threads) {
      const { loss } = await run(batch, threads, 1);
      const tensors: ReadonlyMap<string, Tensor> = layout.views(gradients[0]!);
      return { loss, gradients: tensors };
    },
    async time(batch, threads, passes): Promise<Timing> {
      const processor = process.cpuUsage();
      const begin = performance.now();
      const { phases } = await run(batch, threads, passes);
      const seconds = (performance.now() - begin) / 1e3;
      const { user, system } = process.cpuUsage(processor);
      return { seconds, processorSeconds: (user + system) / 1e6, phases };
    },
    async stop() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}
