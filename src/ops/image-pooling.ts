/** Images of recordings that lie one after another along time, each to one vector. */
import type { ImagePoolingSizes } from '../../kernels/image-pooling/reference.js';
import { imagePoolingVariants } from '../../kernels/image-pooling/variants.js';
import { contiguous, empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { requireLengths } from './recordings.js';
import { requireRank } from './shapes.js';

/** Sizes of each image of X [Σ time, frequency, channels], and the elements before it. */
export function imagesOf(
  x: Tensor,
  lengths: readonly number[],
): readonly { readonly sizes: ImagePoolingSizes; readonly from: number }[] {
  requireRank('poolImage', 'x', x, 3, '[Σ time, frequency, channels]');
  requireLengths('poolImage', x, lengths);
  const [, bands, channels] = x.shape as [number, number, number];
  let from = 0;
  return lengths.map((steps) => {
    const image = { sizes: { steps, bands, channels }, from };
    from += steps * bands * channels;
    return image;
  });
}

/**
 * The mean over frequency, of which the largest over time and the mean over time are added: X [Σ time, frequency, channels]
 * gives [recordings, channels]. Source: the head of CNN14 (Kong et al. 2020).
 */
export function poolImage(x: Tensor, lengths: readonly number[]): Tensor {
  const channels = x.shape[2] ?? 0;
  const images = imagesOf(x, lengths);
  const [input, y] = [contiguous(x), empty([lengths.length, channels])];
  const kernel = kernelOf(imagePoolingVariants);
  images.forEach(({ sizes, from }, n) => {
    kernel(sizes, input.data, input.offset + from, y.data, y.offset + n * channels);
  });
  return y;
}
