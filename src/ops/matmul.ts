import type { MatmulActivation, MatmulKernel, PackedMatrix } from '../../kernels/matmul/reference.js';
import { matmulVariants } from '../../kernels/matmul/variants.js';
import { empty, ShapeError, scratch, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireMemory, requireRank, rowsOf, vectorOf } from './shapes.js';

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
  const c = empty([m, n]);
  const kernel = kernelOf(matmulVariants);
  scratch(() => {
    const packed = kernel.pack(n, k, b.data, b.offset, b.stride[0]!, b.stride[1]!, 'work');
    const [rowStride, columnStride] = a.stride as [number, number];
    kernel.multiply(
      m,
      a.data,
      a.offset,
      rowStride,
      columnStride,
      packed,
      null,
      0,
      'none',
      false,
      c.data,
      c.offset,
      n,
    );
  });
  return c;
}

/** Weights of a linear map, packed for many uses. */
export interface LinearWeights {
  /** The one that packed them: no other can read them. */
  readonly kernel: MatmulKernel;
  readonly packed: PackedMatrix;
  readonly bias: { readonly data: Float32Array; readonly offset: number } | null;
}

/** Packs W [out, in] and bias [out] or null; the result does not see later changes of W. */
export function packLinear(
  weight: Tensor,
  bias: Tensor | null,
  lifetime: 'kept' | 'work' = 'kept',
): LinearWeights {
  requireRank('linear', 'weight', weight, 2, '[out, in]');
  const [outFeatures, inFeatures] = weight.shape as [number, number];
  const { data, offset, stride } = weight;
  const kernel = kernelOf(matmulVariants);
  return {
    kernel,
    packed: kernel.pack(outFeatures, inFeatures, data, offset, stride[1]!, stride[0]!, lifetime),
    bias: bias === null ? null : vectorOf('linear', 'bias', bias, outFeatures),
  };
}

/** f(X Wᵀ + bias) over the last axis: X [..., in], W [out, in]; gives [..., out]. */
export function linearPacked(
  x: Tensor,
  weights: LinearWeights,
  activation: MatmulActivation = 'none',
): Tensor {
  const y = linearResult(x, weights.packed.n, weights.packed.k);
  multiplyInto(y, x, weights, activation);
  return y;
}

/** X Wᵀ + bias over the last axis: X [..., in], W [out, in], bias [out] or null; gives [..., out]. */
export function linear(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  requireRank('linear', 'weight', weight, 2, '[out, in]');
  const y = linearResult(x, weight.shape[0]!, weight.shape[1]!);
  scratch(() => multiplyInto(y, x, packLinear(weight, bias, 'work'), 'none'));
  return y;
}

/** An empty result [..., out] for X [..., in]. */
function linearResult(x: Tensor, outFeatures: number, inFeatures: number): Tensor {
  requireMemory('linear', 'x', x);
  const outer = x.shape.slice(0, -1);
  if (x.shape[outer.length] === inFeatures) return empty([...outer, outFeatures]);
  throw new ShapeError(
    `linear: x ${describeShape(x.shape)} and weight [${outFeatures}, ${inFeatures}] do not fit: ` +
      `the last axis of both must be the same`,
  );
}

function multiplyInto(
  y: Tensor,
  x: Tensor,
  { kernel, packed, bias }: LinearWeights,
  activation: MatmulActivation,
): void {
  const input = rowsOf('linear', 'x', x);
  kernel.multiply(
    input.rows,
    input.data,
    input.offset,
    input.rowStride,
    1,
    packed,
    bias?.data ?? null,
    bias?.offset ?? 0,
    activation,
    false,
    y.data,
    y.offset,
    packed.n,
  );
}
