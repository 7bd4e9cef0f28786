/**
 * Many files into a folder: several at a time, each whole or not there, and not again what an earlier run has done. A file that
 * fails is reported at the end, and the others are done.
 */
import { dirname } from 'node:path';
import { type CodecModel, openModel } from '../codec/index.js';
import { crcText } from '../codec/model-file.js';
import type { GpuCodecModel } from '../gpu/index.js';
import { UsageError } from '../tensor/index.js';
import { hereLane, type Lane, LaneError, workerLane } from './batch-lanes.js';
import { type BatchLog, openBatchLog, stateOf } from './batch-log.js';
import type { FileResult } from './file-result.js';
import type { WorkOrder } from './file-work.js';
import { type Inputs, outputName, PIPE, shortPath, sweepUnfinished } from './files.js';
import { modelPath, version } from './model.js';
import { type Progress, startProgress } from './progress.js';
import { complain, EXIT, type ExitCode, isUsageError, naming, print, warn } from './run.js';
import { count } from './text.js';

export interface BatchArguments {
  readonly output?: string;
  readonly json?: boolean;
  /** Files at a time. */
  readonly jobs?: number;
  readonly force?: boolean;
}

/** Whether many files go into a folder. Throws UsageError where they do not and options are given that are about that. */
export function isBatch({ files, several }: Inputs, { output, jobs, force }: BatchArguments): boolean {
  // Where nothing was found, that is what is to be said.
  if (files.length === 0) return false;
  const isPlain = files.every(({ piped }) => !piped);
  if (several && output !== undefined && outputName(output) !== 'standard output' && isPlain) return true;
  const named = jobs !== undefined ? '--jobs' : force ? '--force' : null;
  if (named === null) return false;
  throw new UsageError(
    `${named} is for several files, a folder or a pattern, and wants a folder for the outputs: name it with -o`,
  );
}

/** Everything but the input that an output depends on. */
async function madeBy({ command, options }: WorkOrder): Promise<string> {
  const path = modelPath(options.model);
  const { fingerprint } = (await naming(path, () => openModel(path))).header;
  const { backend = 'cpu', gpuMode = null, codebooks = null } = options;
  const own =
    command === 'encode'
      ? { packet: options.packet ?? null, bitRate: options.bitRate ?? null, coding: options.coding ?? null }
      : { beam: options.beam ?? null, json: options.json ?? false };
  const all = { command, version, model: crcText(fingerprint), backend, gpuMode, codebooks, ...own };
  return JSON.stringify(all);
}

interface Failure {
  readonly path: string;
  readonly error: unknown;
}

/** One run over the files of a batch. */
class Batch {
  readonly failures: Failure[] = [];
  done = 0;
  skipped = 0;
  /** No file is begun any more. */
  interrupted = false;
  worst: ExitCode = EXIT.done;
  private next = 0;
  private ended: { readonly error: unknown } | null = null;

  constructor(
    private readonly inputs: readonly string[],
    private readonly outputs: readonly string[],
    private readonly log: BatchLog,
    private readonly progress: Progress,
    private readonly options: BatchArguments,
  ) {}

  get seen(): number {
    return this.done + this.skipped + this.failures.length;
  }

  /** Has all lanes work until there is nothing left, and throws what ended the whole before that. */
  async run(lanes: readonly Lane[]): Promise<void> {
    await Promise.all(lanes.map((lane) => this.serve(lane)));
    if (this.ended !== null) throw this.ended.error;
  }

  private async serve(lane: Lane): Promise<void> {
    while (this.next < this.inputs.length && !this.interrupted && this.ended === null) {
      const index = this.next++;
      try {
        await this.one(lane, this.inputs[index]!, this.outputs[index]!);
      } catch (error) {
        // The others in hand are finished first.
        this.ended ??= { error: error instanceof LaneError ? error.cause : error };
      }
      this.progress.update(this.seen);
    }
  }

  private async one(lane: Lane, input: string, output: string): Promise<void> {
    const earlier = this.options.force ? null : await this.log.earlier(input, output);
    if (earlier !== null) {
      this.skipped++;
      this.say(input, output, { ...earlier, line: '' }, true);
      return;
    }
    let from: Awaited<ReturnType<typeof stateOf>>;
    let result: FileResult;
    try {
      from = await stateOf(input);
      result = await lane.run(input, output);
    } catch (error) {
      // Options that are wrong are wrong for every file.
      if (error instanceof LaneError || isUsageError(error)) throw error;
      this.failures.push({ path: input, error });
      return;
    }
    if (from !== null) await this.log.keep(input, output, from, result);
    this.done++;
    this.say(input, output, result, false);
  }

  private say(input: string, output: string, result: FileResult, skipped: boolean): void {
    const { facts, line, warnings, code } = result;
    if (this.worst === EXIT.done) this.worst = code;
    this.progress.aside(() => {
      if (this.options.json) print(JSON.stringify({ input, output, ...facts, skipped }));
      else if (!skipped) print(`${shortPath(input)} -> ${shortPath(output)}: ${line}`);
      for (const warning of warnings) warn(shortPath(input), warning);
    });
  }
}

const fileCount = (n: number): string => `${count(n)} ${n === 1 ? 'file' : 'files'}`;

/** Says what failed and how it went; the exit code is the worst of all files. */
function conclude(batch: Batch, total: number, problems: Inputs['problems'], command: string): ExitCode {
  const { failures, done, skipped, interrupted, worst } = batch;
  for (const { name, error } of problems) complain(error, shortPath(name));
  for (const { path, error } of failures) complain(error, shortPath(path));
  const parts = [
    `${count(done)} done`,
    ...(skipped > 0 ? [`${count(skipped)} as they were`] : []),
    ...(failures.length > 0 ? [`${count(failures.length)} failed`] : []),
  ];
  process.stderr.write(`${command}: ${fileCount(total)}: ${parts.join(', ')}\n`);
  if (interrupted && batch.seen < total) {
    process.stderr.write(
      `acom: stopped with ${fileCount(total - batch.seen)} to go; the same command goes on from here\n`,
    );
    return EXIT.failed;
  }
  return failures.length > 0 || problems.length > 0 ? EXIT.failed : worst;
}

/**
 * Does `order` for each of `inputs` into the output of the same place. Throws where the model does not open, where the options
 * are wrong, or where the folder's log can't be written.
 */
export async function runBatch(
  order: WorkOrder,
  { files, problems }: Inputs,
  outputs: readonly string[],
  options: BatchArguments,
  open: () => Promise<CodecModel | GpuCodecModel>,
): Promise<ExitCode> {
  const { output: folder = PIPE, jobs = 1 } = options;
  if (jobs > 1 && order.options.backend === 'gpu') {
    throw new UsageError('--jobs: one GPU does one file at a time; leave out --jobs, or --backend gpu');
  }
  const log = await openBatchLog(folder, await madeBy(order));
  for (const each of new Set(outputs.map((path) => dirname(path)))) await sweepUnfinished(each);
  const lanes = Array.from({ length: Math.min(jobs, files.length) }, () =>
    jobs === 1 ? hereLane(order, open) : workerLane(order),
  );
  const progress = startProgress(order.command, files.length, 'files');
  const paths = files.map(({ path }) => path);
  const batch = new Batch(paths, outputs, log, progress, options);
  // Files in hand are finished; a second Ctrl-C ends the process at once.
  const stop = (): void => {
    batch.interrupted = true;
    progress.aside(() => process.stderr.write('acom: finishing the files in hand\n'));
  };
  process.once('SIGINT', stop);
  try {
    await batch.run(lanes);
  } finally {
    process.removeListener('SIGINT', stop);
    progress.stop();
    await Promise.all(lanes.map((lane) => lane.close()));
  }
  return conclude(batch, files.length, problems, order.command);
}
