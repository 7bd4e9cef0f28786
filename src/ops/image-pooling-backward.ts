import { imagePoolingBackwardVariants } from '../../kernels/image-pooling/backward/variants.js';
import { contiguous, empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { imagesOf } from './image-pooling.js';
import { requireShape } from './shapes.js';

/** dX of the shape of X [Σ time, frequency, channels] from dY [recordings, channels]; `poolImage` has the value. */
export function poolImageGradient(x: Tensor, dy: Tensor, lengths: readonly number[]): Tensor {
  const images = imagesOf(x, lengths);
  const channels = x.shape[2]!;
  requireShape('poolImage', 'dy', dy, [lengths.length, channels]);
  const [input, cotangent, dx] = [contiguous(x), contiguous(dy), empty(x.shape)];
  const kernel = kernelOf(imagePoolingBackwardVariants);
  images.forEach(({ sizes, from }, n) => {
    const at = cotangent.offset + n * channels;
    kernel(sizes, input.data, input.offset + from, cotangent.data, at, dx.data, dx.offset + from);
  });
  return dx;
}
