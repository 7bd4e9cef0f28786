import { logSoftmaxVariants, softmaxVariants } from '../../kernels/softmax/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { rowsOf } from './shapes.js';

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
