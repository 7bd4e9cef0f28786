/** Pooling of images of recordings that lie one after another along time, and its gradients. */
import { averagePool2dBackwardVariants } from '../../kernels/average-pool2d/backward/variants.js';
import { type Pool2dGeometry, pool2dOutputSize } from '../../kernels/average-pool2d/reference.js';
import { averagePool2dVariants } from '../../kernels/average-pool2d/variants.js';
import { maxPool2dBackwardVariants } from '../../kernels/max-pool2d/backward/variants.js';
import { maxPool2dVariants } from '../../kernels/max-pool2d/variants.js';
import { contiguous, empty, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { type Pool2dOptions, poolGeometry } from './pooling.js';
import { requireLengths } from './recordings.js';
import { requireRank, requireShape } from './shapes.js';

/** Images before and after a pooling. */
interface Pooled {
  readonly images: readonly PooledImage[];
  /** [Σ time, frequency, channels] */
  readonly shape: readonly number[];
  /** [Σ time', frequency', channels] */
  readonly outShape: readonly number[];
  /** Time steps of each recording after it. */
  readonly lengths: readonly number[];
}

interface PooledImage {
  readonly geometry: Pool2dGeometry;
  /** Elements before this image, in X and in Y. */
  readonly from: number;
  readonly to: number;
}

function pooledOf(
  operation: string,
  shape: readonly number[],
  options: Pool2dOptions,
  heights: readonly number[],
): Pooled {
  const [, width, channels] = shape as [number, number, number];
  let [from, to, outWidth] = [0, 0, 0];
  const lengths: number[] = [];
  const images = heights.map((height) => {
    const geometry = poolGeometry(
      operation,
      `a recording of ${height} x ${width}`,
      [height, width, channels],
      options,
    );
    const image = { geometry, from, to };
    const out = pool2dOutputSize(geometry);
    from += height * width * channels;
    to += out.height * out.width * channels;
    outWidth = out.width;
    lengths.push(out.height);
    return image;
  });
  const steps = lengths.reduce((sum, n) => sum + n, 0);
  return { images, shape, outShape: [steps, outWidth, channels], lengths };
}

function requireImages(operation: string, x: Tensor, lengths: readonly number[]): void {
  requireRank(operation, 'x', x, 3, '[Σ time, frequency, channels]');
  requireLengths(operation, x, lengths);
}

export interface PooledRecordings {
  /** [Σ time', frequency', channels] */
  readonly y: Tensor;
  /** Time steps of each recording in y. */
  readonly lengths: readonly number[];
}

/** Averages of windows of X [Σ time, frequency, channels]; what is left over at the edges of a recording is dropped. */
export function averagePool2dRecordings(
  x: Tensor,
  options: Pool2dOptions,
  lengths: readonly number[],
): PooledRecordings {
  requireImages('averagePool2d', x, lengths);
  const pooled = pooledOf('averagePool2d', x.shape, options, lengths);
  const [input, y] = [contiguous(x), empty(pooled.outShape)];
  const kernel = kernelOf(averagePool2dVariants);
  for (const { geometry, from, to } of pooled.images) {
    kernel(geometry, input.data, input.offset + from, y.data, y.offset + to);
  }
  return { y, lengths: pooled.lengths };
}

/** dX of `shape` from dY [Σ time', frequency', channels]. */
export function averagePool2dGradient(
  dy: Tensor,
  shape: readonly number[],
  options: Pool2dOptions,
  lengths: readonly number[],
): Tensor {
  const pooled = pooledOf('averagePool2d', shape, options, lengths);
  requireShape('averagePool2d', 'dy', dy, pooled.outShape);
  const [cotangent, dx] = [contiguous(dy), empty(shape)];
  const kernel = kernelOf(averagePool2dBackwardVariants);
  for (const { geometry, from, to } of pooled.images) {
    kernel(geometry, cotangent.data, cotangent.offset + to, dx.data, dx.offset + from);
  }
  return dx;
}

/** The largest of windows of X [Σ time, frequency, channels]; what is left over at the edges of a recording is dropped. */
export function maxPool2dRecordings(
  x: Tensor,
  options: Pool2dOptions,
  lengths: readonly number[],
): PooledRecordings {
  requireImages('maxPool2d', x, lengths);
  const pooled = pooledOf('maxPool2d', x.shape, options, lengths);
  const [input, y] = [contiguous(x), empty(pooled.outShape)];
  const kernel = kernelOf(maxPool2dVariants);
  for (const { geometry, from, to } of pooled.images) {
    kernel(geometry, input.data, input.offset + from, y.data, y.offset + to);
  }
  return { y, lengths: pooled.lengths };
}

/** dX of the shape of X from dY [Σ time', frequency', channels]: to the first largest number of each window. */
export function maxPool2dGradient(
  x: Tensor,
  dy: Tensor,
  options: Pool2dOptions,
  lengths: readonly number[],
): Tensor {
  const pooled = pooledOf('maxPool2d', x.shape, options, lengths);
  requireShape('maxPool2d', 'dy', dy, pooled.outShape);
  const [input, cotangent, dx] = [contiguous(x), contiguous(dy), empty(x.shape)];
  const kernel = kernelOf(maxPool2dBackwardVariants);
  for (const { geometry, from, to } of pooled.images) {
    kernel(
      geometry,
      input.data,
      input.offset + from,
      cotangent.data,
      cotangent.offset + to,
      dx.data,
      dx.offset + from,
    );
  }
  return dx;
}
