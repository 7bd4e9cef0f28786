/**
 * A training run of the toy workload as a process of its own: `node toy-run.js options.json`. What it says comes out in lines
 * of JSON. Worker threads start faster there than under tap, and tests can end it.
 */
import { readFileSync } from 'node:fs';
import { TrainingError } from '../../src/tensor/index.js';
import { type TrainOptions, train } from '../../src/training/run/index.js';

const options = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as TrainOptions;
const say = (record: object): void => {
  process.stdout.write(`${JSON.stringify(record)}\n`);
};

try {
  const { parameters, buffers, ...rest } = await train({ ...options, onProgress: say });
  say({ kind: 'result', ...rest });
} catch (error) {
  if (!(error instanceof TrainingError)) throw error;
  const { message, step, files, checkpoint, cause } = error;
  say({ kind: 'error', message, step, files, checkpoint, from: cause instanceof Error ? cause.stack : '' });
}
