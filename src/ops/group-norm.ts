import { empty, reshape, type Tensor } from '../tensor/index.js';
import { layerNorm } from './layer-norm.js';
import { requireRank, vectorOf } from './shapes.js';

/**
 * Group normalisation with one group: each item of x [batch, frames, channels] to mean 0 and variance 1 over frames and
 * channels together, then weight and bias [channels].
 */
export function groupNorm(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  requireRank('groupNorm', 'x', x, 3, '[batch, frames, channels]');
  const [batch, frames, channels] = x.shape as [number, number, number];
  // One row of all frames: weight and bias are repeated for each.
  const repeated = (name: string, vector: Tensor): Tensor => {
    const { data, offset } = vectorOf('groupNorm', name, vector, channels);
    const rows = empty([frames * channels]);
    for (let t = 0; t < frames; t++) {
      rows.data.set(data.subarray(offset, offset + channels), rows.offset + t * channels);
    }
    return rows;
  };
  const rows = reshape(x, [batch, frames * channels]);
  const y = layerNorm(rows, repeated('weight', weight), repeated('bias', bias), epsilon);
  return reshape(y, x.shape);
}
