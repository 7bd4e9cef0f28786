/** Gradients of swish, the rectifiers and the gated linear unit: dx from x and dy, both of the shapes of the activation. */
import {
  gluBackwardVariants,
  leakyReluBackwardVariants,
  reluBackwardVariants,
  swishBackwardVariants,
} from '../../kernels/activations-backward/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { elementsOf, requireShape, rowsOf } from './shapes.js';

/** The operands of an element-wise gradient. */
function pairOf(operation: string, x: Tensor, dy: Tensor) {
  requireShape(operation, 'dy', dy, x.shape);
  return { from: elementsOf(operation, 'x', x), given: elementsOf(operation, 'dy', dy), dx: empty(x.shape) };
}

/** dy s (1 + x (1 - s)), s = 1 / (1 + exp(-x)). */
export function swishBackward(x: Tensor, dy: Tensor): Tensor {
  const { from, given, dx } = pairOf('swishBackward', x, dy);
  kernelOf(swishBackwardVariants)(from.length, from, 0, given, 0, dx.data, dx.offset);
  return dx;
}

/** dy where x is positive, 0 elsewhere. */
export function reluBackward(x: Tensor, dy: Tensor): Tensor {
  const { from, given, dx } = pairOf('reluBackward', x, dy);
  kernelOf(reluBackwardVariants)(from.length, from, 0, given, 0, dx.data, dx.offset);
  return dx;
}

/** dy where x is positive, slope · dy elsewhere. */
export function leakyReluBackward(x: Tensor, slope: number, dy: Tensor): Tensor {
  const { from, given, dx } = pairOf('leakyReluBackward', x, dy);
  kernelOf(leakyReluBackwardVariants)(from.length, slope, from, 0, given, 0, dx.data, dx.offset);
  return dx;
}

/** Gradient of `glu`: x [..., 2n] and dy [..., n] give [..., 2n]. */
export function gluBackward(x: Tensor, dy: Tensor): Tensor {
  const input = rowsOf('gluBackward', 'x', x);
  const columns = input.columns / 2;
  requireShape('gluBackward', 'dy', dy, [...x.shape.slice(0, -1), columns]);
  const given = rowsOf('gluBackward', 'dy', dy);
  const dx = empty(x.shape);
  kernelOf(gluBackwardVariants)(
    input.rows,
    columns,
    input.data,
    input.offset,
    input.rowStride,
    given.data,
    given.offset,
    given.rowStride,
    dx.data,
    dx.offset,
    input.columns,
  );
  return dx;
}
