import { batchNormVariants } from '../../kernels/batch-norm/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { rowsOf, vectorOf } from './shapes.js';

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
