/** Fewer vectors a second: frames are averaged before the codebooks and repeated after them. */
import { flat, type Tensor, zeros } from '../tensor/index.js';

/** Vectors that `frames` frames become. */
export const pooledLength = (frames: number, pooling: number): number => Math.ceil(frames / pooling);

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
