/**
 * node dist/bench/cnn14-memory.js [SECONDS] [eager]: loads both halves of a CNN14 of the published width with weights made
 * up one tensor at a time, or all at once (`eager`), classifies SECONDS (default 5) and prints times and the process's
 * largest resident memory. ACOM_THREADS says how many threads it may use.
 */

import { kernelMemory } from '../kernels/wasm/runtime.js';
import type { StateDict } from '../src/nn/index.js';
import { type Cnn14Config, Cnn14Prefix, Cnn14Suffix, cnn14Kind, Parameters } from '../src/nn/index.js';
import { createRandom, type NdArray, type TypedArray, zeros } from '../src/tensor/index.js';

const CHANNELS = [64, 128, 256, 512, 1024, 2048];
const config: Cnn14Config = { type: 'cnn14', mels: 80, channels: CHANNELS, classes: 50, head: 'linear' };

const shapes = new Map<string, readonly number[]>();
const norm = (name: string, channels: number) => {
  for (const part of ['weight', 'bias', 'running_mean', 'running_var'])
    shapes.set(`${name}.${part}`, [channels]);
};
norm('embedding_model.norm0', config.mels);
CHANNELS.forEach((out, b) => {
  const block = `embedding_model.conv_block${b + 1}`;
  shapes.set(`${block}.conv1.weight`, [out, CHANNELS[b - 1] ?? 1, 3, 3]);
  shapes.set(`${block}.conv2.weight`, [out, out, 3, 3]);
  norm(`${block}.norm1`, out);
  norm(`${block}.norm2`, out);
});
shapes.set('classifier.weight', [config.classes, 2048]);
shapes.set('classifier.bias', [config.classes]);

const random = createRandom(14);
function make(name: string, shape: readonly number[]): NdArray<TypedArray> {
  const x = zeros(shape);
  const spread = shape.length === 4 ? Math.sqrt(6 / (9 * shape[1]!)) : 0.1;
  const middle = name.endsWith('running_var') || /norm.*\.weight$/.test(name) ? 1 : 0;
  for (let i = 0; i < x.data.length; i++) x.data[i] = middle + spread * (2 * random() - 1);
  return x;
}

/** A state dict whose tensors come to be when they are asked for. */
class LazyTensors extends Map<string, NdArray<TypedArray>> {
  override get(name: string): NdArray<TypedArray> | undefined {
    const shape = shapes.get(name);
    return shape && make(name, shape);
  }
}

const mebibytes = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`;
const peak = () => mebibytes(1024 * process.resourceUsage().maxRSS);

const seconds = Number(process.argv[2] ?? 5);
const eager = process.argv.includes('eager');
const tensors: StateDict = eager
  ? new Map([...shapes].map(([name, shape]) => [name, make(name, shape)]))
  : new LazyTensors();
const parameters = new Parameters(tensors);
const begin = performance.now();
const [prefix, suffix] = [new Cnn14Prefix(parameters, config, 4), new Cnn14Suffix(parameters, config, 4)];
parameters.requireComplete('cnn14');
console.log(`loaded in ${((performance.now() - begin) / 1000).toFixed(1)} s, peak ${peak()}`);

const frames = 1 + Math.floor((seconds * 44100) / 512);
const features = zeros([1, frames, config.mels]);
for (let i = 0; i < features.data.length; i++) features.data[i] = random();
const macs = cnn14Kind.macs(config, 4, frames);
for (let round = 1; round <= 5; round++) {
  const from = performance.now();
  const y = suffix.forward(prefix.forward(features));
  const took = performance.now() - from;
  if (!y.data.every(Number.isFinite)) throw new Error('results are not finite');
  const rate = (2 * (macs.device + macs.cloud)) / took / 1e6;
  console.log(
    `classified ${frames} frames in ${took.toFixed(0)} ms, ${rate.toFixed(0)} GFLOP/s, peak ${peak()}`,
  );
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const use = kernelMemory()?.use();
if (use) console.log(`kernels' memory: ${mebibytes(use.keptBytes)} kept, peak ${mebibytes(use.peakBytes)}`);
