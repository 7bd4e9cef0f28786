import { batchNormBackwardVariants } from '../../kernels/batch-norm-backward/variants.js';
import { batchStatisticsVariants } from '../../kernels/batch-statistics/variants.js';
import { empty, ShapeError, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import type { NormGradients } from './layer-norm-backward.js';
import { requireShape, rowsOf, vectorOf } from './shapes.js';

export interface BatchStatistics {
  readonly mean: Tensor;
  /** Biased: the mean of the squared deviations. */
  readonly variance: Tensor;
  /** Numbers of each channel that they are of. */
  readonly rows: number;
}

/** Mean and biased variance of each channel of x [..., channels], over all else. */
export function batchStatistics(x: Tensor): BatchStatistics {
  const { data, offset, rowStride, rows, columns } = rowsOf('batchStatistics', 'x', x);
  if (rows === 0) throw new ShapeError('batchStatistics: x holds no numbers, which have no mean');
  const mean = empty([columns]);
  const variance = empty([columns]);
  kernelOf(batchStatisticsVariants)(
    rows,
    columns,
    data,
    offset,
    rowStride,
    mean.data,
    mean.offset,
    variance.data,
    variance.offset,
  );
  return { mean, variance, rows };
}

export interface BatchNormBackwardOptions {
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly weight: Tensor;
  readonly epsilon: number;
  /** Whether mean and variance are those of x, so that x moves them. */
  readonly ofBatch: boolean;
}

/** Gradients of `batchNorm`: x and dy [..., channels]; dweight and dbias have the shape of the weight. */
export function batchNormBackward(x: Tensor, dy: Tensor, options: BatchNormBackwardOptions): NormGradients {
  requireShape('batchNormBackward', 'dy', dy, x.shape);
  const { data, offset, rowStride, rows, columns } = rowsOf('batchNormBackward', 'x', x);
  const given = rowsOf('batchNormBackward', 'dy', dy);
  const mean = vectorOf('batchNormBackward', 'mean', options.mean, columns);
  const variance = vectorOf('batchNormBackward', 'variance', options.variance, columns);
  const weight = vectorOf('batchNormBackward', 'weight', options.weight, columns);
  const dx = empty(x.shape);
  const dweight = empty(options.weight.shape);
  const dbias = empty(options.weight.shape);
  kernelOf(batchNormBackwardVariants)(
    rows,
    columns,
    options.epsilon,
    options.ofBatch,
    data,
    offset,
    rowStride,
    mean.data,
    mean.offset,
    variance.data,
    variance.offset,
    weight.data,
    weight.offset,
    given.data,
    given.offset,
    given.rowStride,
    dx.data,
    dx.offset,
    columns,
    dweight.data,
    dweight.offset,
    dbias.data,
    dbias.offset,
  );
  return { dx, dweight, dbias };
}
