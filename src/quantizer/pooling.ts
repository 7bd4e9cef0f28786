/** Fewer vectors a second: frames are averaged before the codebooks and repeated after them. */
import { flat, type Tensor, zeros } from '../tensor/index.js';

/** Vectors that `frames` frames become. */
export const pooledLength = (frames: number, pooling: number): number => Math.ceil(frames / pooling);

/**
 * Averages every `pooling` consecutive frames of [frames, width]; a group that the end leaves incomplete
 * counts its last frame again. Gives [ceil(frames / pooling), width].
 */
export function poolFrames(x: Tensor, pooling: number): Tensor {
  const [frames, width] = x.shape as [number, number];
  const source = flat(x);
  const out = zeros([pooledLength(frames, pooling), width]);
  for (let n = 0; n < out.shape[0]!; n++) {
    for (let d = 0; d < width; d++) {
      let sum = 0;
      for (let i = 0; i < pooling; i++) {
        const t = Math.min(n * pooling + i, frames - 1);
        sum += source[t * width + d]!;
      }
      out.data[n * width + d] = sum / pooling;
    }
  }
  return out;
}

/** Lets each vector of [ceil(frames / pooling), width] stand for its frames again: [frames, width]. */
export function repeatFrames(x: Tensor, pooling: number, frames: number): Tensor {
  const width = x.shape[1]!;
  const source = flat(x);
  const out = zeros([frames, width]);
  for (let t = 0; t < frames; t++) {
    const n = Math.floor(t / pooling);
    out.data.set(source.subarray(n * width, (n + 1) * width), t * width);
  }
  return out;
}
