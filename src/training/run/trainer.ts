/**
 * The trainer: batches cut into shards that threads share out, their gradients summed in a fixed order, a step of AdamW,
 * validation on averaged weights, checkpoints.
 *
 *   batch -> shards -> forward, backward -> Σ gradients / items -> clip -> AdamW -> absorb -> averages
 *
 * The weights depend on the data, the settings and the seed alone: not on the number of workers, and not on whether a run was
 * stopped and went on.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { type Tensor, TrainingError, UsageError, view } from '../../tensor/index.js';
import { learningRate } from '../optimizer/index.js';
import {
  checkpointBytes,
  restoreCheckpoint,
  type Standing,
  type ValidationRecord,
  writeWhole,
} from './checkpoint-file.js';
import { Crew } from './crew.js';
import { Epochs } from './epochs.js';
import { kernelsOfRun } from './fused-arithmetic.js';
import { loadWorkload } from './load-workload.js';
import { LogFile } from './log-file.js';
import { Smoothed, type TrainingProgress } from './progress.js';
import { RunState } from './run-state.js';
import { mixSeed, PURPOSE } from './seeds.js';
import {
  lastingSettings,
  requireSameSettings,
  requireWhole,
  type Settings,
  settingsOf,
  type TrainOptions,
} from './settings.js';
import { addReport, type Job, type ShardResult } from './shard-runner.js';
import type { Workload } from './workload.js';

export interface TrainResult {
  /** Steps that were done, in this run and before. */
  readonly step: number;
  /** Whether the signal ended the run before its last step. */
  readonly aborted: boolean;
  /** Averages of the weights where they are kept, else the weights. */
  readonly parameters: ReadonlyMap<string, Tensor>;
  readonly buffers: ReadonlyMap<string, Tensor>;
  readonly history: readonly ValidationRecord[];
  /** The best validation, and the checkpoint of that step. */
  readonly best: { readonly step: number; readonly score: number; readonly file: string } | null;
  /** The last checkpoint. */
  readonly file: string;
}

/** Files that messages name. */
const NAMED = 5;
/** How much of the smoothed loss stays at a step. */
const SMOOTHING = 0.98;

/** Trains, and gives the weights. See TrainOptions. */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const settings = settingsOf(options);
  // Before the workload uses any.
  kernelsOfRun();
  const workload = await loadWorkload(settings.url, settings.workloadOptions);
  const epochs = new Epochs(workload, settings.seed);
  const steps = options.steps ?? epochs.count(options.epochs ?? 0);
  requireWhole('the number of steps', steps, 0);
  await mkdir(options.out, { recursive: true });
  const run = new Run(options, settings, workload, steps);
  return run.run();
}

class Run {
  private readonly state: RunState;
  private epochs: Epochs;
  private readonly lastFile: string;
  private readonly bestFile: string;
  private readonly validateEvery: number;
  private readonly checkpointEvery: number;
  private readonly lasting: Readonly<Record<string, unknown>>;
  private readonly smoothed = new Smoothed(SMOOTHING);
  private step = 0;
  private best: Standing['best'] = null;
  private history: ValidationRecord[] = [];
  /** Step of the last checkpoint, where there is one. */
  private saved: number | null = null;
  /** Whether there is anything that no checkpoint has. */
  private isUnsaved = true;
  private aborted = false;
  private stepsHere = 0;
  private started = 0;

  constructor(
    private readonly options: TrainOptions,
    private readonly settings: Settings,
    private readonly workload: Workload,
    private readonly steps: number,
  ) {
    this.state = new RunState(workload, settings);
    this.epochs = new Epochs(workload, settings.seed);
    this.lastFile = resolve(options.out, 'last.safetensors');
    this.bestFile = resolve(options.out, 'best.safetensors');
    const epoch = () => this.epochs.batches(0).length;
    this.validateEvery = options.validateEvery ?? epoch();
    this.checkpointEvery = options.checkpointEvery ?? epoch();
    requireWhole('validateEvery', this.validateEvery, 1);
    requireWhole('checkpointEvery', this.checkpointEvery, 1);
    this.lasting = lastingSettings(settings, steps);
  }

  async run(): Promise<TrainResult> {
    await this.begin();
    const { settings, state } = this;
    const log = await LogFile.open(join(this.options.out, 'log.jsonl'), this.step);
    try {
      const crew = await Crew.start(this.workload, {
        url: settings.url,
        options: settings.workloadOptions,
        shards: settings.shards,
        workers: settings.workers,
        sizes: { weights: state.numbers.weights.length, buffers: state.numbers.buffers.length },
        memoryBytes: settings.memoryBytes,
      });
      try {
        await this.loop(crew, log);
      } finally {
        await crew.close();
      }
    } finally {
      await log.close();
    }
    return this.result();
  }

  /** Takes the weights of the checkpoint, or draws them. */
  private async begin(): Promise<void> {
    const { lastFile, state, settings } = this;
    if (!existsSync(lastFile)) {
      state.initialise(this.options.initial ?? new Map());
      return;
    }
    if (!this.options.resume) {
      throw new UsageError(
        `train: ${lastFile} is there already: resume that run, or train in another folder`,
      );
    }
    const standing = await restoreCheckpoint(lastFile, state.numbers, state.layouts);
    requireSameSettings(lastFile, standing.settings, this.lasting);
    this.step = standing.step;
    this.saved = standing.step;
    this.isUnsaved = false;
    this.best = standing.best;
    this.history = [...standing.history];
    this.epochs = new Epochs(this.workload, settings.seed, standing.epoch, standing.position);
    this.say({ kind: 'resumed', step: this.step, file: lastFile });
  }

  private get isAborted(): boolean {
    return this.options.signal?.aborted ?? false;
  }

  private async loop(crew: Crew, log: LogFile): Promise<void> {
    this.started = performance.now();
    while (true) {
      // After a stop the checkpoint may be one of a step that was still to be validated.
      const isUnjudged = () => this.isDue(this.validateEvery) && this.history.at(-1)?.step !== this.step;
      if (isUnjudged() && !this.isAborted) await this.validate(crew, log);
      const isDone = this.step >= this.steps && !(this.isAborted && isUnjudged());
      const isLast = isDone || this.isAborted;
      this.aborted = isLast && !isDone;
      if (this.isUnsaved && (isLast || this.isDue(this.checkpointEvery))) await this.save();
      if (isLast) return;
      await this.advance(crew, log);
      // Signals and timers have their turn.
      await turn();
    }
  }

  /** Whether something that is done every so many steps, and at the end, is to be done now. */
  private isDue(every: number): boolean {
    return this.step > 0 && (this.step % every === 0 || this.step === this.steps);
  }

  /** The shards of a batch: items in turn, so that sorted ones come to even loads. */
  private jobsOf(step: number, items: readonly number[]): Job[] {
    const { seed, shards } = this.settings;
    return Array.from({ length: Math.min(shards, items.length) }, (_, shard) => ({
      id: step * shards + shard,
      set: 'training',
      items: items.filter((_, i) => i % shards === shard),
      prepareSeed: mixSeed(seed, PURPOSE.prepare, step, shard),
      passSeed: mixSeed(seed, PURPOSE.pass, step, shard),
    }));
  }

  /** One step. */
  private async advance(crew: Crew, log: LogFile): Promise<void> {
    const { state, settings } = this;
    const begun = performance.now();
    const step = this.step + 1;
    const items = this.epochs.current();
    const { epoch } = this.epochs.at;
    const jobs = this.jobsOf(step, items);
    this.epochs.advance();
    const next = step < this.steps ? this.jobsOf(step + 1, this.epochs.current()) : [];
    crew.publish(state.numbers.weights, state.numbers.buffers);
    const results = await crew.train(jobs, next).catch((error: unknown) => {
      throw this.failed(error, step, items);
    });
    const loss = meanOf(results, items.length, ({ loss }) => loss);
    if (!Number.isFinite(loss)) {
      const bad = jobs.filter((_, shard) => !Number.isFinite(results[shard]!.loss));
      throw this.stopped(
        `the loss is ${loss}`,
        step,
        bad.flatMap((job) => job.items),
      );
    }
    const gradientNorm = state.collect(crew.gradients.slice(0, jobs.length), items.length);
    if (!Number.isFinite(gradientNorm)) {
      throw this.stopped(`the loss is ${loss}, its gradient's norm ${gradientNorm}`, step, items);
    }
    const reported = new Map<string, Float64Array>();
    for (const result of results) {
      for (const [name, values] of result.reported) addReport(reported, name, values);
    }
    const rate = learningRate(settings.schedule, step, this.steps);
    state.move({ step, rate, norm: gradientNorm, items: items.length }, reported);
    this.step = step;
    this.stepsHere++;
    this.isUnsaved = true;
    const now = performance.now();
    const record = {
      kind: 'step',
      step,
      epoch,
      loss,
      metrics: meansOf(results, items.length),
      learningRate: rate,
      gradientNorm,
      itemsPerSecond: (1000 * items.length) / (now - begun),
    } as const;
    await log.add(record);
    this.say({
      ...record,
      steps: this.steps,
      smoothedLoss: this.smoothed.add(loss),
      secondsLeft: ((now - this.started) / 1000 / this.stepsHere) * (this.steps - step),
    });
  }

  private async validate(crew: Crew, log: LogFile): Promise<void> {
    const { workload, settings, state } = this;
    const count = workload.validationItems;
    if (count === 0) return;
    const begun = performance.now();
    const size = settings.validationItems;
    const jobs = Array.from(
      { length: Math.ceil(count / size) },
      (_, id): Job => ({
        id,
        set: 'validation',
        items: Array.from({ length: Math.min(size, count - id * size) }, (_, i) => id * size + i),
        // The same at each validation: what differs is the network.
        prepareSeed: mixSeed(settings.seed, PURPOSE.prepare, 0, id),
        passSeed: mixSeed(settings.seed, PURPOSE.pass, 0, id),
      }),
    );
    crew.publish(state.evaluated, state.numbers.buffers);
    const parts = await crew
      .validate(jobs, () => this.isAborted)
      .catch((error: unknown) => {
        throw this.failed(error, this.step, []);
      });
    if (parts === null) return;
    const sums: Record<string, number> = {};
    for (const part of parts) {
      for (const [name, value] of Object.entries(part)) sums[name] = (sums[name] ?? 0) + value;
    }
    const { score, ...values } = workload.score(sums);
    if (!Number.isFinite(score)) throw this.stopped(`the validation score is ${score}`, this.step, []);
    const record = { step: this.step, score, values };
    this.history.push(record);
    this.isUnsaved = true;
    const isBest = this.best === null || score > this.best.score;
    if (isBest) {
      this.best = { step: this.step, score };
      await this.write(this.bestFile);
    }
    const seconds = (performance.now() - begun) / 1000;
    await log.add({ kind: 'validation', ...record, isBest, seconds });
    this.say({ kind: 'validation', ...record, isBest, seconds });
  }

  /** Writes the last checkpoint. */
  private async save(): Promise<void> {
    await this.write(this.lastFile);
    this.saved = this.step;
    this.isUnsaved = false;
    this.say({ kind: 'checkpoint', step: this.step, file: this.lastFile });
  }

  private async write(file: string): Promise<void> {
    const { state, step, best, history } = this;
    const bad = state.firstBad();
    if (bad !== null) throw this.stopped(`${bad} holds numbers that are NaN or infinite`, step, []);
    const standing = { step, ...this.epochs.at, best, history, settings: this.lasting };
    await writeWhole(file, checkpointBytes(state.numbers, state.layouts, standing));
  }

  /** The error for a run that can't go on; nothing that was written is touched. */
  private stopped(reason: string, step: number, items: readonly number[], cause?: Error): TrainingError {
    const files = items.slice(0, NAMED).map((item) => this.workload.describe(item));
    const more = items.length > NAMED ? ` and ${items.length - NAMED} more` : '';
    const batch = items.length > 0 ? ` (${items.length} items: ${files.join(', ')}${more})` : '';
    const kept =
      this.saved === null
        ? 'there is no checkpoint yet'
        : `the last good checkpoint is ${this.lastFile}, of step ${this.saved}`;
    const advice = cause || items.length === 0 ? '' : '; look at these files, or use a lower learning rate';
    return new TrainingError(`step ${step}${batch}: ${reason}; ${kept}${advice}`, {
      step,
      files,
      checkpoint: this.saved === null ? undefined : this.lastFile,
      ...(cause ? { cause: cause.cause } : {}),
    });
  }

  /** The same for an error of a thread. */
  private failed(error: unknown, step: number, items: readonly number[]): unknown {
    if (!(error instanceof TrainingError)) return error;
    return this.stopped(error.message.replace(/^training: /, ''), step, items, error);
  }

  private say(progress: TrainingProgress): void {
    this.options.onProgress?.(progress);
  }

  private result(): TrainResult {
    const { state, best } = this;
    const copies = (tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
      new Map(
        [...tensors].map(([name, { data, offset, shape, size }]) => [
          name,
          view(data.slice(offset, offset + size), shape),
        ]),
      );
    return {
      step: this.step,
      aborted: this.aborted,
      parameters: copies(state.layouts.parameters.views(state.evaluated)),
      buffers: copies(state.layouts.buffers.views(state.numbers.buffers)),
      history: this.history,
      best: best && { ...best, file: this.bestFile },
      file: this.lastFile,
    };
  }
}

const meanOf = (
  results: readonly ShardResult[],
  items: number,
  of: (result: ShardResult) => number,
): number => results.reduce((sum, result) => sum + of(result), 0) / items;

/** Means over the items of all that shards measured. */
function meansOf(results: readonly ShardResult[], items: number): Record<string, number> {
  const names = new Set(results.flatMap(({ metrics }) => Object.keys(metrics)));
  return Object.fromEntries(
    [...names].map((name) => [name, meanOf(results, items, ({ metrics }) => metrics[name] ?? 0)]),
  );
}
