/** One of this project's threads: passes over its part of a batch, as a thread of the trainer runs them. */
import { parentPort, workerData } from 'node:worker_threads';
import { useThreads } from '../../src/ops/index.js';
import { Layout } from '../../src/training/run/layout.js';
import { ShardRunner } from '../../src/training/run/shard-runner.js';
import { openTrainingFile } from './batch.js';
import { benchmarkWorkload, itemsOf } from './workload.js';

export interface LaneStart {
  readonly path: string;
  readonly part: number;
  /** Room for the gradients, laid out as the trainer does, in memory that all threads see. */
  readonly gradients: Float32Array;
}

export interface LaneRequest {
  readonly batch: string;
  readonly parts: number;
  readonly passes: number;
}

export interface LaneReply {
  readonly loss: number;
  /** Seconds of all passes by phase, on this thread. */
  readonly phases: Readonly<Record<string, number>>;
}

const port = parentPort;
if (port === null) throw new Error('internal: this module runs in a worker thread only');
const { path, part, gradients } = workerData as LaneStart;
useThreads(1);
const file = openTrainingFile(path);
const workload = benchmarkWorkload(file);
const layout = new Layout(workload.parameters);
const weights = new Float32Array(layout.size);
layout.fill(weights, file.weights, 'the weights');
const runner = new ShardRunner(workload);
runner.load(weights, new Float32Array(0));

async function run({ batch, parts, passes }: LaneRequest): Promise<LaneReply> {
  const items = itemsOf(file, batch, part % parts, parts);
  const phases: Record<string, number> = { forward: 0, loss: 0, backward: 0 };
  let loss = 0;
  for (let id = 0; id < passes; id++) {
    const begin = performance.now();
    const job = { id, set: 'training', items, prepareSeed: 0, passSeed: 0 } as const;
    const result = await runner.train(job, gradients);
    const whole = (performance.now() - begin) / 1e3;
    const { forward = 0, loss: ofLoss = 0 } = result.metrics;
    phases['forward']! += forward;
    phases['loss']! += ofLoss;
    phases['backward']! += whole - forward - ofLoss;
    loss = result.loss;
  }
  return { loss, phases };
}

port.on('message', (request: LaneRequest) => {
  run(request).then(
    (reply) => port.postMessage(reply),
    (error: unknown) => {
      throw error;
    },
  );
});
port.postMessage('ready');
