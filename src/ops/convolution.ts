import { conv2dOutputSize } from '../../kernels/conv2d/reference.js';
import { conv2dVariants } from '../../kernels/conv2d/variants.js';
import { depthwiseConv1dVariants } from '../../kernels/depthwise-conv1d/variants.js';
import { contiguous, ShapeError, sizeOf, type Tensor, zeros } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireRank, requireShape, vectorOf } from './shapes.js';

export interface Conv2dOptions {
  /** Rows and columns from one output pixel to the next. */
  readonly stride: readonly [number, number];
  /** Rows and columns added on each side. */
  readonly padding: readonly [number, number];
  readonly padMode: 'zero' | 'reflect';
}

/**
 * Two-dimensional cross-correlation, channels last: X [batch, height, width, in], W [out, kernel height,
 * kernel width, in], bias [out] or null; gives [batch, height', width', out].
 */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null, options: Conv2dOptions): Tensor {
  requireRank('conv2d', 'x', x, 4, '[batch, height, width, channels]');
  requireRank('conv2d', 'weight', weight, 4, '[out, kernel height, kernel width, in]');
  const [batch, height, width, inChannels] = x.shape as [number, number, number, number];
  const [outChannels, kernelHeight, kernelWidth, expected] = weight.shape as [number, number, number, number];
  if (expected !== inChannels) {
    throw new ShapeError(
      `conv2d: x ${describeShape(x.shape)} and weight ${describeShape(weight.shape)} do not fit: ` +
        `the last axis of both counts the input channels`,
    );
  }
  const geometry = {
    height,
    width,
    inChannels,
    outChannels,
    kernelHeight,
    kernelWidth,
    strideHeight: options.stride[0],
    strideWidth: options.stride[1],
    padHeight: options.padding[0],
    padWidth: options.padding[1],
    padMode: options.padMode,
  };
  const out = conv2dOutputSize(geometry);
  if (height < 1 || width < 1 || out.height < 1 || out.width < 1) {
    throw new ShapeError(
      `conv2d: x ${describeShape(x.shape)} is smaller than the kernel ${kernelHeight} x ${kernelWidth}`,
    );
  }
  const input = contiguous(x);
  const filters = contiguous(weight);
  const offset = bias === null ? null : vectorOf('conv2d', 'bias', bias, outChannels);
  const y = zeros([batch, out.height, out.width, outChannels]);
  const kernel = kernelOf(conv2dVariants);
  for (let b = 0; b < batch; b++) {
    kernel(
      geometry,
      input.data,
      input.offset + b * height * width * inChannels,
      filters.data,
      filters.offset,
      offset?.data ?? null,
      offset?.offset ?? 0,
      y.data,
      b * out.height * out.width * outChannels,
    );
  }
  return y;
}

/**
 * Depthwise cross-correlation along time with zeros outside: X [batch, frames, channels], W [channels, taps]
 * with an odd number of taps, bias [channels] or null; gives the shape of X.
 */
export function depthwiseConv1d(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  requireRank('depthwiseConv1d', 'x', x, 3, '[batch, frames, channels]');
  const [batch, frames, channels] = x.shape as [number, number, number];
  requireRank('depthwiseConv1d', 'weight', weight, 2, '[channels, taps]');
  const taps = weight.shape[1]!;
  requireShape('depthwiseConv1d', 'weight', weight, [channels, taps]);
  if (taps % 2 === 0)
    throw new ShapeError(`depthwiseConv1d: ${taps} taps have no centre, expected an odd number`);
  const input = contiguous(x);
  const filters = contiguous(weight);
  const offset = bias === null ? null : vectorOf('depthwiseConv1d', 'bias', bias, channels);
  const y = zeros(x.shape);
  const kernel = kernelOf(depthwiseConv1dVariants);
  const step = sizeOf([frames, channels]);
  for (let b = 0; b < batch; b++) {
    kernel(
      frames,
      channels,
      taps,
      input.data,
      input.offset + b * step,
      channels,
      filters.data,
      filters.offset,
      taps,
      offset?.data ?? null,
      offset?.offset ?? 0,
      y.data,
      b * step,
      channels,
    );
  }
  return y;
}
