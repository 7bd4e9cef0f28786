import { matmulVariants } from '../../kernels/matmul/variants.js';
import { ShapeError, type Tensor, zeros } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireRank, rowsOf, vectorOf } from './shapes.js';

/** A B: [m, k] times [k, n]; any strides, so a transposed view costs nothing. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  requireRank('matmul', 'a', a, 2, '[m, k]');
  requireRank('matmul', 'b', b, 2, '[k, n]');
  const [m, k] = a.shape as [number, number];
  const [inner, n] = b.shape as [number, number];
  if (inner !== k) {
    throw new ShapeError(
      `matmul: a ${describeShape(a.shape)} and b ${describeShape(b.shape)} do not fit: ` +
        `the columns of a must be as many as the rows of b`,
    );
  }
  const c = zeros([m, n]);
  kernelOf(matmulVariants)(
    m,
    n,
    k,
    a.data,
    a.offset,
    a.stride[0]!,
    a.stride[1]!,
    b.data,
    b.offset,
    b.stride[0]!,
    b.stride[1]!,
    null,
    0,
    false,
    c.data,
    0,
    n,
  );
  return c;
}

/** X Wᵀ + bias over the last axis: X [..., in], W [out, in], bias [out] or null; gives [..., out]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  requireRank('linear', 'weight', weight, 2, '[out, in]');
  const [outFeatures, inFeatures] = weight.shape as [number, number];
  const input = rowsOf('linear', 'x', x);
  if (input.columns !== inFeatures) {
    throw new ShapeError(
      `linear: x ${describeShape(x.shape)} and weight ${describeShape(weight.shape)} do not fit: ` +
        `the last axis of both must be the same`,
    );
  }
  const y = zeros([...x.shape.slice(0, -1), outFeatures]);
  const offset = bias === null ? null : vectorOf('linear', 'bias', bias, outFeatures);
  kernelOf(matmulVariants)(
    input.rows,
    outFeatures,
    inFeatures,
    input.data,
    input.offset,
    input.rowStride,
    1,
    weight.data,
    weight.offset,
    weight.stride[1]!,
    weight.stride[0]!,
    offset?.data ?? null,
    offset?.offset ?? 0,
    false,
    y.data,
    0,
    outFeatures,
  );
  return y;
}
