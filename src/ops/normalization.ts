import { batchNormVariants } from '../../kernels/batch-norm/variants.js';
import { layerNormVariants } from '../../kernels/layer-norm/variants.js';
import { logSoftmaxVariants, softmaxVariants } from '../../kernels/softmax/variants.js';
import { empty, reshape, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { requireRank, rowsOf, vectorOf } from './shapes.js';

/** exp(x) / Σ exp(x) over the last axis. */
export function softmax(x: Tensor): Tensor {
  const { data, offset, rowStride, rows, columns } = rowsOf('softmax', 'x', x);
  const y = empty(x.shape);
  kernelOf(softmaxVariants)(rows, columns, data, offset, rowStride, y.data, y.offset, columns);
  return y;
}

/** x - log Σ exp(x) over the last axis. */
export function logSoftmax(x: Tensor): Tensor {
  const { data, offset, rowStride, rows, columns } = rowsOf('logSoftmax', 'x', x);
  const y = empty(x.shape);
  kernelOf(logSoftmaxVariants)(rows, columns, data, offset, rowStride, y.data, y.offset, columns);
  return y;
}

/** Layer normalisation over the last axis: x [..., n], weight and bias of n elements. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const { data, offset, rowStride, rows, columns } = rowsOf('layerNorm', 'x', x);
  const w = vectorOf('layerNorm', 'weight', weight, columns);
  const b = vectorOf('layerNorm', 'bias', bias, columns);
  const y = empty(x.shape);
  kernelOf(layerNormVariants)(
    rows,
    columns,
    epsilon,
    data,
    offset,
    rowStride,
    w.data,
    w.offset,
    b.data,
    b.offset,
    y.data,
    y.offset,
    columns,
  );
  return y;
}

/**
 * Group normalisation with one group: each item of x [batch, frames, channels] to mean 0 and variance 1 over frames and
 * channels together, then weight and bias [channels].
 */
export function groupNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  requireRank('groupNorm', 'x', x, 3, '[batch, frames, channels]');
  const [batch, frames, channels] = x.shape as [number, number, number];
  // One row of all frames: weight and bias are repeated for each.
  const repeated = (name: string, vector: Tensor): Tensor => {
    const { data, offset } = vectorOf('groupNorm', name, vector, channels);
    const rows = empty([frames * channels]);
    for (let t = 0; t < frames; t++) {
      rows.data.set(data.subarray(offset, offset + channels), rows.offset + t * channels);
    }
    return rows;
  };
  const rows = reshape(x, [batch, frames * channels]);
  const y = layerNorm(rows, repeated('weight', weight), repeated('bias', bias), epsilon);
  return reshape(y, x.shape);
}

export interface BatchNormParameters {
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** Batch normalisation with stored statistics over the last axis (channels): x [..., channels]. */
export function batchNorm(x: Tensor, parameters: BatchNormParameters, epsilon: number): Tensor {
  const { data, offset, rowStride, rows, columns } = rowsOf('batchNorm', 'x', x);
  const mean = vectorOf('batchNorm', 'mean', parameters.mean, columns);
  const variance = vectorOf('batchNorm', 'variance', parameters.variance, columns);
  const weight = vectorOf('batchNorm', 'weight', parameters.weight, columns);
  const bias = vectorOf('batchNorm', 'bias', parameters.bias, columns);
  const y = empty(x.shape);
  kernelOf(batchNormVariants)(
    rows,
    columns,
    epsilon,
    data,
    offset,
    rowStride,
    mean.data,
    mean.offset,
    variance.data,
    variance.offset,
    weight.data,
    weight.offset,
    bias.data,
    bias.offset,
    y.data,
    y.offset,
    columns,
  );
  return y;
}
