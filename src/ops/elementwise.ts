import {
  gluVariants,
  leakyReluVariants,
  reluVariants,
  scaledAddVariants,
  swishVariants,
} from '../../kernels/activations/variants.js';
import { columnSumsVariants } from '../../kernels/column-sums/variants.js';
import { empty, ShapeError, sizeOf, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { elementsOf, requireShape, rowsOf, vectorOf } from './shapes.js';

/** x / (1 + exp(-x)). */
export function swish(x: Tensor): Tensor {
  const elements = elementsOf('swish', 'x', x);
  const y = empty(x.shape);
  kernelOf(swishVariants)(elements.length, elements, 0, y.data, y.offset);
  return y;
}

/** max(x, 0). */
export function relu(x: Tensor): Tensor {
  const elements = elementsOf('relu', 'x', x);
  const y = empty(x.shape);
  kernelOf(reluVariants)(elements.length, elements, 0, y.data, y.offset);
  return y;
}

/** x where it is not negative, slope · x elsewhere. */
export function leakyRelu(x: Tensor, slope: number): Tensor {
  const elements = elementsOf('leakyRelu', 'x', x);
  const y = empty(x.shape);
  kernelOf(leakyReluVariants)(elements.length, slope, elements, 0, y.data, y.offset);
  return y;
}

/** Gated linear unit over the last axis: [..., 2n] gives [..., n]. */
export function glu(x: Tensor): Tensor {
  const input = rowsOf('glu', 'x', x);
  if (input.columns % 2 !== 0) {
    throw new ShapeError(`glu: the last axis has ${input.columns} elements, expected an even number`);
  }
  const columns = input.columns / 2;
  const y = empty([...x.shape.slice(0, -1), columns]);
  kernelOf(gluVariants)(
    input.rows,
    columns,
    input.data,
    input.offset,
    input.rowStride,
    y.data,
    y.offset,
    columns,
  );
  return y;
}

/** x + scale · z, of one shape. */
export function scaledAdd(x: Tensor, scale: number, z: Tensor): Tensor {
  requireShape('scaledAdd', 'z', z, x.shape);
  const [a, b] = [elementsOf('scaledAdd', 'x', x), elementsOf('scaledAdd', 'z', z)];
  const y = empty(x.shape);
  kernelOf(scaledAddVariants)(a.length, a, 0, scale, b, 0, y.data, y.offset);
  return y;
}

/** to = x + z, of one shape and contiguous; `to` may be either of them. */
export function addInto(x: Tensor, z: Tensor, to: Tensor): void {
  kernelOf(scaledAddVariants)(sizeOf(x.shape), x.data, x.offset, 1, z.data, z.offset, to.data, to.offset);
}

/** sums[c] += Σ over r of x[r, c]: x [..., columns], sums of `columns` elements, contiguous. */
export function addColumnSums(x: Tensor, sums: Tensor): void {
  sumColumns('addColumnSums', x, sums, true);
}

/** Σ over r of x[r, c]: x [..., columns] gives a new tensor of `shape`, with as many elements as x has columns. */
export function columnSums(x: Tensor, shape: readonly number[]): Tensor {
  const sums = empty(shape);
  sumColumns('columnSums', x, sums, false);
  return sums;
}

function sumColumns(operation: string, x: Tensor, sums: Tensor, accumulate: boolean): void {
  const { data, offset, rowStride, rows, columns } = rowsOf(operation, 'x', x);
  const to = vectorOf(operation, 'sums', sums, columns);
  kernelOf(columnSumsVariants)(rows, columns, accumulate, data, offset, rowStride, to.data, to.offset);
}
