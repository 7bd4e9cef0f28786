import { columnSumsVariants } from '../../kernels/column-sums/variants.js';
import { pooledFrames } from '../../kernels/frame-pooling/reference.js';
import { empty, flat, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { requireLengths } from './recordings.js';
import { requireRank, rowsOf } from './shapes.js';

/**
 * Each row of X [Σ ceil(lengths / factor), width] for `factor` consecutive frames, as many as the recording has: gives
 * [Σ lengths, width].
 */
export function repeatFrames(x: Tensor, lengths: readonly number[], factor: number): Tensor {
  requireRank('repeatFrames', 'x', x, 2, '[frames, width]');
  requireLengths(
    'repeatFrames',
    x,
    lengths.map((frames) => pooledFrames(frames, factor)),
  );
  const width = x.shape[1]!;
  const y = empty([lengths.reduce((sum, frames) => sum + frames, 0), width]);
  const source = flat(x);
  let [from, to] = [0, y.offset];
  for (const frames of lengths) {
    for (let t = 0; t < frames; t++, to += width) {
      y.data.set(source.subarray(from, from + width), to);
      if ((t + 1) % factor === 0 || t + 1 === frames) from += width;
    }
  }
  return y;
}

/** Sums of every `factor` consecutive frames of X [Σ lengths, width], of fewer at the end of a recording. */
export function sumFrames(x: Tensor, lengths: readonly number[], factor: number): Tensor {
  requireRank('sumFrames', 'x', x, 2, '[frames, width]');
  requireLengths('sumFrames', x, lengths);
  const width = x.shape[1]!;
  const y = empty([lengths.reduce((sum, frames) => sum + pooledFrames(frames, factor), 0), width]);
  const { data, offset, rowStride } = rowsOf('sumFrames', 'x', x);
  const add = kernelOf(columnSumsVariants);
  let [from, to] = [offset, y.offset];
  for (const frames of lengths) {
    for (let t = 0; t < frames; t += factor, to += width) {
      const count = Math.min(factor, frames - t);
      add(count, width, false, data, from, rowStride, y.data, to);
      from += count * rowStride;
    }
  }
  return y;
}
