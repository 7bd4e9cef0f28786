import { type Pool2dGeometry, pool2dOutputSize } from '../../kernels/average-pool2d/reference.js';
import { averagePool2dVariants } from '../../kernels/average-pool2d/variants.js';
import { contiguous, empty, ShapeError, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireRank } from './shapes.js';

export interface Pool2dOptions {
  /** Rows and columns of a window. */
  readonly window: readonly [number, number];
  /** Rows and columns from one window to the next. */
  readonly stride: readonly [number, number];
}

/** Sizes of an image [height, width, channels]; throws ShapeError where a window does not fit into it. */
export function poolGeometry(
  operation: string,
  /** What the image is called in messages. */
  what: string,
  [height, width, channels]: readonly [number, number, number],
  { window, stride }: Pool2dOptions,
): Pool2dGeometry {
  for (const size of [...window, ...stride]) {
    if (Number.isInteger(size) && size >= 1) continue;
    throw new ShapeError(`${operation}: windows and strides are whole numbers from 1 on, not ${size}`);
  }
  if (height < window[0] || width < window[1]) {
    throw new ShapeError(`${operation}: ${what} is smaller than the window ${window[0]} x ${window[1]}`);
  }
  return {
    height,
    width,
    channels,
    windowHeight: window[0],
    windowWidth: window[1],
    strideHeight: stride[0],
    strideWidth: stride[1],
  };
}

/**
 * Averages of windows of X [batch, height, width, channels] without padding; what is left over at the edges is dropped.
 * Gives [batch, height', width', channels].
 */
export function averagePool2d(x: Tensor, options: Pool2dOptions): Tensor {
  requireRank('averagePool2d', 'x', x, 4, '[batch, height, width, channels]');
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const geometry = poolGeometry(
    'averagePool2d',
    `x ${describeShape(x.shape)}`,
    [height, width, channels],
    options,
  );
  const out = pool2dOutputSize(geometry);
  const y = empty([batch, out.height, out.width, channels]);
  const input = contiguous(x);
  const [step, outStep] = [height * width * channels, out.height * out.width * channels];
  const kernel = kernelOf(averagePool2dVariants);
  for (let b = 0; b < batch; b++) {
    kernel(geometry, input.data, input.offset + b * step, y.data, y.offset + b * outStep);
  }
  return y;
}
