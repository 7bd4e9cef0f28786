/** Gradients of softmax and its logarithm over the last axis: dx from what they gave and dy. */
import {
  logSoftmaxBackwardVariants,
  softmaxBackwardVariants,
} from '../../kernels/softmax-backward/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { requireShape, rowsOf } from './shapes.js';

function backward(
  operation: string,
  variants: typeof softmaxBackwardVariants,
  y: Tensor,
  dy: Tensor,
): Tensor {
  requireShape(operation, 'dy', dy, y.shape);
  const from = rowsOf(operation, 'y', y);
  const given = rowsOf(operation, 'dy', dy);
  const dx = empty(y.shape);
  kernelOf(variants)(
    from.rows,
    from.columns,
    from.data,
    from.offset,
    from.rowStride,
    given.data,
    given.offset,
    given.rowStride,
    dx.data,
    dx.offset,
    from.columns,
  );
  return dx;
}

/** y (dy - Σ y dy), y = softmax(x). */
export const softmaxBackward = (y: Tensor, dy: Tensor): Tensor =>
  backward('softmaxBackward', softmaxBackwardVariants, y, dy);

/** dy - exp(y) Σ dy, y = logSoftmax(x). */
export const logSoftmaxBackward = (y: Tensor, dy: Tensor): Tensor =>
  backward('logSoftmaxBackward', logSoftmaxBackwardVariants, y, dy);
