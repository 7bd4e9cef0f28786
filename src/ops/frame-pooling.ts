import { pooledFrames } from '../../kernels/frame-pooling/reference.js';
import { framePoolingVariants } from '../../kernels/frame-pooling/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { requireRank, rowsOf } from './shapes.js';

/**
 * Averages every `pooling` consecutive frames of X [frames, width]; a group that the end leaves incomplete counts its last
 * frame again. Gives [ceil(frames / pooling), width].
 */
export function poolFrames(x: Tensor, pooling: number): Tensor {
  requireRank('poolFrames', 'x', x, 2, '[frames, width]');
  const [frames, width] = x.shape as [number, number];
  const y = empty([pooledFrames(frames, pooling), width]);
  const rows = rowsOf('poolFrames', 'x', x);
  kernelOf(framePoolingVariants)(
    frames,
    width,
    pooling,
    rows.data,
    rows.offset,
    rows.rowStride,
    y.data,
    y.offset,
  );
  return y;
}
