/** A training run of the toy workload as a process of its own, to be ended by tests: `node toy-run.js options.json`. */
import { readFileSync } from 'node:fs';
import { type TrainOptions, train } from '../../src/training/run/index.js';

const options = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as TrainOptions;
await train({
  ...options,
  onProgress: (progress) => {
    process.stdout.write(`${JSON.stringify(progress)}\n`);
  },
});
