/**
 * Batch normalisation that learns (Ioffe and Szegedy 2015), under the names of PyTorch's: weight and bias follow
 * gradients, running_mean and running_var the statistics of the batches.
 */
import { batchNormInference, batchNormTraining, type Variable } from '../../autograd/index.js';
import { BATCH_NORM_EPSILON } from '../../nn/index.js';
import { flat, type Tensor } from '../../tensor/index.js';
import { all } from './initialise.js';
import type { ParameterSpec, Pass, TrainableNetwork } from './network.js';

/** Part of the running statistics that each step replaces. */
const MOMENTUM = 0.1;

/** What a pass reports of the norm `name`: rows, then for each channel the sum, then the sum of squares. */
const reportName = (name: string): string => `${name}.batch`;

/** Weight and bias of the norm `name` over `channels`. */
export const batchNormParameters = (name: string, channels: number): [string, ParameterSpec][] => [
  [`${name}.weight`, { shape: [channels], initialise: all(1), decay: false }],
  [`${name}.bias`, { shape: [channels], initialise: all(0), decay: false }],
];

/** Its running statistics. */
export const batchNormBuffers = (
  name: string,
  channels: number,
): [string, { readonly shape: readonly number[]; readonly initial: number }][] => [
  [`${name}.running_mean`, { shape: [channels], initial: 0 }],
  [`${name}.running_var`, { shape: [channels], initial: 1 }],
];

/** X [..., channels] normalised by the statistics of all its rows in training, else by the running ones. */
export function batchNorm(pass: Pass, name: string, x: Variable): Variable {
  const weight = pass.parameter(`${name}.weight`);
  const bias = pass.parameter(`${name}.bias`);
  if (!pass.training) {
    const mean = pass.buffer(`${name}.running_mean`);
    const variance = pass.buffer(`${name}.running_var`);
    return batchNormInference(x, weight, bias, mean, variance, BATCH_NORM_EPSILON);
  }
  const { y, mean, variance, rows } = batchNormTraining(x, weight, bias, BATCH_NORM_EPSILON);
  const [means, variances] = [flat(mean), flat(variance)];
  const channels = means.length;
  // Sums add up over shards of any size, where means and variances do not.
  const sums = new Float64Array(1 + 2 * channels);
  sums[0] = rows;
  for (let c = 0; c < channels; c++) {
    sums[1 + c] = rows * means[c]!;
    sums[1 + channels + c] = (rows - 1) * variances[c]! + rows * means[c]! ** 2;
  }
  pass.report(reportName(name), sums);
  return y;
}

/**
 * Moves the running statistics of the norms `names` towards those of the whole batch; the variance is the unbiased one, as
 * PyTorch has it.
 */
export function absorbBatchNorms(
  names: readonly string[],
  ...[buffers, reported]: Parameters<NonNullable<TrainableNetwork['absorb']>>
): void {
  for (const name of names) {
    const sums = reported.get(reportName(name));
    if (sums === undefined) continue;
    const mean = bufferOf(buffers, `${name}.running_mean`);
    const variance = bufferOf(buffers, `${name}.running_var`);
    const [rows, channels] = [sums[0]!, mean.length];
    for (let c = 0; c < channels; c++) {
      const batchMean = sums[1 + c]! / rows;
      const spread = Math.max(0, sums[1 + channels + c]! / rows - batchMean ** 2);
      mean[c]! += MOMENTUM * (batchMean - mean[c]!);
      variance[c]! += MOMENTUM * ((spread * rows) / (rows - 1) - variance[c]!);
    }
  }
}

function bufferOf(buffers: ReadonlyMap<string, Tensor>, name: string): Float32Array {
  const found = buffers.get(name);
  if (found === undefined) throw new Error(`batch norm: the training state has no buffer ${name}`);
  return flat(found);
}
