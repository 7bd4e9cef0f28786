import { pooledFrames } from '../../kernels/frame-pooling/reference.js';
import { framePoolingVariants } from '../../kernels/frame-pooling/variants.js';
import { empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { requireLengths } from './recordings.js';
import { requireRank, rowsOf } from './shapes.js';

/**
 * Averages every `pooling` consecutive frames of X [frames, width]; a group that the end leaves incomplete counts its last
 * frame again. Gives [ceil(frames / pooling), width].
 */
export function poolFrames(x: Tensor, pooling: number): Tensor {
  requireRank('poolFrames', 'x', x, 2, '[frames, width]');
  return pooled(x, [x.shape[0]!], pooling);
}

/** The same for recordings that lie one after another, X [Σ lengths, width]: no group holds frames of two of them. */
export function poolPackedFrames(x: Tensor, lengths: readonly number[], pooling: number): Tensor {
  requireRank('poolFrames', 'x', x, 2, '[frames, width]');
  requireLengths('poolFrames', x, lengths);
  return pooled(x, lengths, pooling);
}

function pooled(x: Tensor, lengths: readonly number[], pooling: number): Tensor {
  const width = x.shape[1]!;
  const groups = lengths.map((frames) => pooledFrames(frames, pooling));
  const y = empty([groups.reduce((sum, n) => sum + n, 0), width]);
  const { data, offset, rowStride } = rowsOf('poolFrames', 'x', x);
  const pool = kernelOf(framePoolingVariants);
  let [from, to] = [offset, y.offset];
  lengths.forEach((frames, n) => {
    pool(frames, width, pooling, groups[n]!, data, from, rowStride, y.data, to);
    from += frames * rowStride;
    to += groups[n]! * width;
  });
  return y;
}

/** X [frames, width] with its last frame repeated until their number is a multiple of `factor`; X itself where it is. */
export function padFrames(x: Tensor, factor: number): Tensor {
  const { data, offset, rowStride, rows, columns } = rowsOf('padFrames', 'x', x);
  const padded = pooledFrames(rows, factor) * factor;
  if (padded === rows) return x;
  const y = empty([padded, columns]);
  kernelOf(framePoolingVariants)(rows, columns, 1, padded, data, offset, rowStride, y.data, y.offset);
  return y;
}
