import { layerNormBackwardVariants } from '../../kernels/layer-norm-backward/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { requireShape, rowsOf, vectorOf } from './shapes.js';

export interface NormGradients {
  readonly dx: Tensor;
  readonly dweight: Tensor;
  readonly dbias: Tensor;
}

/** Gradients of `layerNorm` over the last axis: x and dy [..., n], weight of n elements; dweight and dbias have its shape. */
export function layerNormBackward(x: Tensor, weight: Tensor, dy: Tensor, epsilon: number): NormGradients {
  requireShape('layerNormBackward', 'dy', dy, x.shape);
  const { data, offset, rowStride, rows, columns } = rowsOf('layerNormBackward', 'x', x);
  const given = rowsOf('layerNormBackward', 'dy', dy);
  const w = vectorOf('layerNormBackward', 'weight', weight, columns);
  const dx = empty(x.shape);
  const dweight = empty(weight.shape);
  const dbias = empty(weight.shape);
  kernelOf(layerNormBackwardVariants)(
    rows,
    columns,
    epsilon,
    data,
    offset,
    rowStride,
    w.data,
    w.offset,
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
