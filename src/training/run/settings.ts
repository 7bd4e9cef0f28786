/** What a run is told, and what it takes where nothing is said. */
import { availableParallelism } from 'node:os';
import { type Tensor, UsageError } from '../../tensor/index.js';
import { ADAMW, type AdamWSettings, type Schedule } from '../optimizer/index.js';
import { moduleUrl, optionsText, type WorkloadSource } from './load-workload.js';
import type { TrainingProgress } from './progress.js';

export interface TrainOptions {
  readonly workload: WorkloadSource;
  /**
   * Folder of the run: `last.safetensors` to go on from, `best.safetensors` of the best validation so far, `log.jsonl` with a
   * line for each step and validation. Made where it is not there.
   */
  readonly out: string;
  /** How long to train: one of the two. */
  readonly steps?: number;
  readonly epochs?: number;
  readonly schedule: Schedule;
  readonly optimizer?: Partial<AdamWSettings>;
  /** Largest norm of the whole gradient, of the mean loss of a batch; default 5, null for any. */
  readonly clip?: number | null;
  /** How much of the averages of weights stays at each step, default 0.999; null to keep none. */
  readonly averaging?: number | null;
  /** Default 1. Same seed, shards and machine: same weights, bit for bit. */
  readonly seed?: number;
  /** Parts that each batch is cut into and that workers share out; default 2. More than workers make no difference in speed. */
  readonly shards?: number;
  /** Worker threads: default as many as cores, at most `shards`; 0 trains in this thread. They do not change the weights. */
  readonly workers?: number;
  /** Steps between validations, and between checkpoints; default the steps of the first epoch. */
  readonly validateEvery?: number;
  readonly checkpointEvery?: number;
  /** Validation items of one pass; default 32. */
  readonly validationItems?: number;
  /**
   * Goes on from `last.safetensors` where it is there. Without it, a folder that holds one is refused: nothing that was trained
   * is written over.
   */
  readonly resume?: boolean;
  /** Weights and buffers to begin with, by name, where not those that the workload draws. */
  readonly initial?: ReadonlyMap<string, Tensor>;
  /** Address space of a worker's kernels: room for the weights and all activations of a shard. Default 2 GiB. */
  readonly memoryBytes?: number;
  /** Ends the run after the step at hand, with a checkpoint. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export interface Settings {
  readonly url: string;
  readonly workloadOptions: string;
  readonly schedule: Schedule;
  readonly optimizer: AdamWSettings;
  readonly clip: number | null;
  readonly averaging: number | null;
  readonly seed: number;
  readonly shards: number;
  readonly workers: number;
  readonly validationItems: number;
  readonly memoryBytes: number;
}

/** Most that kernels take; see kernels/wasm/runtime.ts. */
const MOST_BYTES = 2 ** 31 - 65536;

export function requireWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new UsageError(`train: ${name} is ${value}; use a whole number from ${least} on`);
}

function requireBetween(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new UsageError(`train: ${name} is ${value}; use a number from ${least} to ${most}`);
}

export function settingsOf(options: TrainOptions): Settings {
  const { shards = 2, seed = 1, clip = 5, averaging = 0.999, validationItems = 32, schedule } = options;
  const { workers = Math.min(availableParallelism(), shards), memoryBytes = MOST_BYTES } = options;
  requireWhole('shards', shards, 1);
  requireWhole('workers', workers, 0);
  requireWhole('seed', seed, 0);
  requireWhole('validationItems', validationItems, 1);
  if ((options.steps === undefined) === (options.epochs === undefined)) {
    throw new UsageError('train: say how long, by steps or by epochs, one of the two');
  }
  const optimizer = { ...ADAMW, ...options.optimizer };
  requireBetween('beta1', optimizer.beta1, 0, 1 - Number.EPSILON);
  requireBetween('beta2', optimizer.beta2, 0, 1 - Number.EPSILON);
  requireBetween('epsilon', optimizer.epsilon, Number.MIN_VALUE, 1);
  requireBetween('decay', optimizer.decay, 0, 1e6);
  requireBetween('the learning rate', schedule.rate, 0, 1e6);
  if (clip !== null) requireBetween('clip', clip, Number.MIN_VALUE, Number.MAX_VALUE);
  if (averaging !== null) requireBetween('averaging', averaging, 0, 1);
  return {
    url: moduleUrl(options.workload.module),
    workloadOptions: optionsText(options.workload.options),
    schedule,
    optimizer,
    clip,
    averaging,
    seed,
    shards,
    workers,
    validationItems,
    memoryBytes,
  };
}

/** Settings that the weights depend on, as checkpoints hold them. */
export function lastingSettings(settings: Settings, steps: number): Record<string, unknown> {
  const { schedule, optimizer, clip, averaging, seed, shards, workloadOptions } = settings;
  // A cosine is another one for another number of steps; a constant rate may go on for longer.
  const length = schedule.kind === 'constant' ? {} : { steps };
  const options: unknown = JSON.parse(workloadOptions);
  return { seed, shards, schedule, optimizer, clip, averaging, ...length, options };
}

/** Throws UsageError where a checkpoint is one of another run. */
export function requireSameSettings(
  file: string,
  before: Readonly<Record<string, unknown>>,
  now: Readonly<Record<string, unknown>>,
): void {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const different = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  if (different.length === 0) return;
  const [name] = different as [string];
  throw new UsageError(
    `train: ${file} was trained with other settings (${different.join(', ')}): ${name} was ` +
      `${JSON.stringify(before[name])} and is ${JSON.stringify(now[name])} now; go on with the same, or train in another folder`,
  );
}
