/**
 * The threads of a run. A batch is cut into shards, whatever the number of threads: the sums are then the same, and so are
 * the weights.
 */
import { keep, TrainingError, zeros } from '../../tensor/index.js';
import { kernelsOfRun } from './fused-arithmetic.js';
import { hereLane, type Lane, workerLane } from './lane.js';
import { type Job, type ShardResult, ShardRunner, type Sums } from './shard-runner.js';
import type { WorkerStart } from './worker.js';
import type { Workload } from './workload.js';

export interface CrewOptions {
  readonly url: string;
  readonly options: string;
  readonly shards: number;
  /** 0: everything in this thread. */
  readonly workers: number;
  /** Floats of all parameters and of all buffers. */
  readonly sizes: { readonly weights: number; readonly buffers: number };
  readonly memoryBytes: number;
}

/** Memory that worker threads see too: that of the kernels where it is shared, so that this thread's need no copy. */
function sharedFloats(length: number): Float32Array {
  const { data } = keep(zeros([length]));
  const isShared = data.buffer instanceof SharedArrayBuffer;
  return isShared ? data : new Float32Array(new SharedArrayBuffer(4 * length));
}

export class Crew {
  private version = 0;

  private constructor(
    private readonly lanes: readonly Lane[],
    private readonly memory: Pick<WorkerStart, 'weights' | 'buffers' | 'gradients'>,
  ) {}

  /** Starts the threads; each makes the workload for itself. `workload` serves where this thread does the work. */
  static async start(workload: Workload, options: CrewOptions): Promise<Crew> {
    const { shards, workers, sizes, url, memoryBytes } = options;
    const memory = {
      weights: sharedFloats(sizes.weights),
      buffers: sharedFloats(sizes.buffers),
      gradients: Array.from({ length: shards }, () => sharedFloats(sizes.weights)),
    };
    if (workers === 0) return new Crew([hereLane(new ShardRunner(workload), memory)], memory);
    const start = { url, options: options.options, memoryBytes, kernels: kernelsOfRun(), ...memory };
    const started = await Promise.allSettled(
      Array.from({ length: Math.min(workers, shards) }, () => workerLane(start)),
    );
    const lanes = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const failed = started.find((each) => each.status === 'rejected');
    if (failed) {
      await Promise.all(lanes.map((lane) => lane.close()));
      throw failure('a worker did not start', failed.reason);
    }
    return new Crew(lanes, memory);
  }

  /** The gradient of each shard, after `train`. */
  get gradients(): readonly Float32Array[] {
    return this.memory.gradients;
  }

  /** Sets the weights and buffers of all that comes next. */
  publish(weights: Float32Array, buffers: Float32Array): void {
    this.memory.weights.set(weights);
    this.memory.buffers.set(buffers);
    this.version++;
  }

  /** Runs all shards of a batch, in the order of their numbers; `next` is what will come then. */
  async train(jobs: readonly Job[], next: readonly Job[]): Promise<readonly ShardResult[]> {
    const count = this.lanes.length;
    const parts = await Promise.all(
      this.lanes.map((lane, l) =>
        lane.run({
          version: this.version,
          jobs: jobs.map((job, shard) => ({ job, shard })).filter(({ shard }) => shard % count === l),
          next: next.filter((_, shard) => shard % count === l),
        }),
      ),
    ).catch((error: unknown) => {
      throw failure('a pass failed', error);
    });
    return jobs.map((_, shard) => parts[shard % count]![Math.floor(shard / count)] as ShardResult);
  }

  /** Runs validation jobs, in the order of their numbers; null where `isOver` said to stop. */
  async validate(jobs: readonly Job[], isOver: () => boolean): Promise<readonly Sums[] | null> {
    const results = new Array<Sums>(jobs.length);
    let at = 0;
    const work = async (lane: Lane): Promise<void> => {
      while (at < jobs.length && !isOver()) {
        const index = at++;
        const request = { version: this.version, jobs: [{ job: jobs[index]!, shard: 0 }], next: [] };
        results[index] = (await lane.run(request))[0] as Sums;
      }
    };
    await Promise.all(this.lanes.map(work)).catch((error: unknown) => {
      throw failure('a pass failed in validation', error);
    });
    return isOver() ? null : results;
  }

  async close(): Promise<void> {
    await Promise.all(this.lanes.map((lane) => lane.close()));
  }
}

const failure = (what: string, cause: unknown): TrainingError =>
  new TrainingError(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
