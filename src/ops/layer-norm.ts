import { layerNormVariants } from '../../kernels/layer-norm/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { rowsOf, vectorOf } from './shapes.js';

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
