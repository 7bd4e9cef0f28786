/** Batch normalisation with stored statistics as part of the convolution before it. */
import { type Tensor, zeros } from '../tensor/index.js';
import type { BatchNormParameters } from './batch-norm.js';
import { elementsOf, vectorOf } from './shapes.js';

/**
 * What batch normalisation does to filters and bias of the convolution before it: weight · gain + bias is then all of it.
 * One factor for each output channel, and the bias that takes the place of `bias`.
 */
export function batchNormScale(
  operation: string,
  channels: number,
  bias: Tensor | null,
  { mean, variance, weight, bias: shift }: BatchNormParameters,
  epsilon: number,
): { readonly gain: Float64Array; readonly bias: Tensor } {
  const vector = (name: string, x: Tensor) => {
    const { data, offset } = vectorOf(operation, name, x, channels);
    return data.subarray(offset, offset + channels);
  };
  const [m, v, g, s] = [
    vector('mean', mean),
    vector('variance', variance),
    vector('gain', weight),
    vector('shift', shift),
  ];
  const before = bias === null ? null : vector('bias', bias);
  const gain = new Float64Array(channels);
  const added = zeros([channels]);
  for (let o = 0; o < channels; o++) {
    gain[o] = g[o]! / Math.sqrt(v[o]! + epsilon);
    added.data[o] = ((before?.[o] ?? 0) - m[o]!) * gain[o]! + s[o]!;
  }
  return { gain, bias: added };
}

/**
 * Filters and bias of the convolution that does what `weight` [out, ...] and `bias` do with batch normalisation (stored
 * statistics) after them: a scale for each output channel, which costs nothing once it is in the filters.
 */
export function foldBatchNorm(
  weight: Tensor,
  bias: Tensor | null,
  norm: BatchNormParameters,
  epsilon: number,
): { readonly weight: Tensor; readonly bias: Tensor } {
  const operation = 'foldBatchNorm';
  const filters = elementsOf(operation, 'weight', weight);
  const channels = weight.shape[0] ?? 0;
  const { gain, bias: added } = batchNormScale(operation, channels, bias, norm, epsilon);
  const folded = zeros(weight.shape);
  const each = filters.length / Math.max(1, channels);
  for (let o = 0; o < channels; o++) {
    for (let i = o * each; i < (o + 1) * each; i++) folded.data[i] = filters[i]! * gain[o]!;
  }
  return { weight: folded, bias: added };
}
