/** Runs of the toy workload, for tests of the trainer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { flat, type Tensor } from '../../src/tensor/index.js';
import type { TrainingProgress, TrainOptions, TrainResult } from '../../src/training/run/index.js';
import { plainEnvironment } from './cli.js';
import { repository } from './shared.js';
import type { ToyOptions } from './toy-workload.js';

const module = join(repository, 'dist/test/support/toy-workload.js');

/** Options of a run of 17 steps, 5 to an epoch. */
export const toy = (out: string, options: ToyOptions, more: Partial<TrainOptions> = {}): TrainOptions => ({
  workload: { module, options },
  out,
  steps: 17,
  schedule: { kind: 'cosine', rate: 0.05, warmup: 3, floor: 0.001 },
  validateEvery: 4,
  checkpointEvery: 3,
  validationItems: 5,
  workers: 0,
  averaging: 0.9,
  seed: 3,
  ...more,
});

export const numbersOf = (tensors: ReadonlyMap<string, Tensor>) =>
  [...tensors].map(([name, tensor]) => [name, [...flat(tensor)]]);

export const weightsOf = ({ parameters, buffers }: TrainResult) => [
  ...numbersOf(parameters),
  ...numbersOf(buffers),
];

/** A checkpoint as bytes: two that are equal hold the same numbers, moments and all. */
export const bytesOf = (folder: string, name = 'last') => readFileSync(join(folder, `${name}.safetensors`));

/** Lines of the log without what clocks said. */
export const logOf = (folder: string) =>
  readFileSync(join(folder, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const { itemsPerSecond, seconds, ...record } = JSON.parse(line) as Record<string, unknown>;
      return record;
    });

export interface ToyError {
  readonly kind: 'error';
  readonly message: string;
  readonly step?: number;
  readonly files: readonly string[];
  readonly checkpoint?: string;
  /** Stack of the cause. */
  readonly from: string;
}

export type ToyRecord = TrainingProgress | ToyError | { readonly kind: 'result'; readonly step: number };

/** Runs the toy in a process of its own; `onRecord` may end it. Gives all that it said. */
export async function runToy(
  options: TrainOptions,
  onRecord: (record: ToyRecord, child: ChildProcess) => void = () => {},
): Promise<ToyRecord[]> {
  const file = `${options.out}.json`;
  writeFileSync(file, JSON.stringify(options));
  const child = spawn('node', [join(repository, 'dist/test/support/toy-run.js'), file], {
    env: plainEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const records: ToyRecord[] = [];
  let rest = '';
  child.stdout.on('data', (part: Buffer) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      records.push(JSON.parse(line) as ToyRecord);
      onRecord(records.at(-1)!, child);
    }
  });
  await new Promise((done) => child.on('close', done));
  return records;
}
