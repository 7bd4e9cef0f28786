import {
  type Conv2dActivation,
  type Conv2dGeometry,
  type Conv2dKernel,
  conv2dOutputSize,
  type PackedFilters,
} from '../../kernels/conv2d/reference.js';
import { conv2dVariants } from '../../kernels/conv2d/variants.js';
import { contiguous, empty, ShapeError, scratch, type Tensor } from '../tensor/index.js';
import type { BatchNormParameters } from './batch-norm.js';
import { kernelOf } from './dispatch.js';
import { batchNormScale } from './fold-batch-norm.js';
import { describeShape, requireRank, vectorOf } from './shapes.js';

type Four = [number, number, number, number];
type Vector = { readonly data: Float32Array; readonly offset: number };

export interface Conv2dOptions {
  /** Rows and columns from one output pixel to the next. */
  readonly stride: readonly [number, number];
  /** Rows and columns added on each side. */
  readonly padding: readonly [number, number];
  readonly padMode: 'zero' | 'reflect';
}

/** Filters of a two-dimensional convolution, packed for many images. */
export interface Conv2dFilters {
  /** Of an image without pixels. */
  readonly geometry: Conv2dGeometry;
  /** The one that packed them: no other can read them. */
  readonly kernel: Conv2dKernel;
  readonly packed: PackedFilters;
  readonly bias: Vector | null;
}

/** Batch normalisation with stored statistics that follows a convolution. */
export interface FollowingNorm {
  readonly parameters: BatchNormParameters;
  readonly epsilon: number;
}

/**
 * Packs W [out, kernel height, kernel width, in], of any strides, and bias [out] or null. `norm` becomes part of the
 * packed filters and the bias, and costs nothing when they are used.
 */
export function packConv2d(
  weight: Tensor,
  bias: Tensor | null,
  { stride, padding, padMode }: Conv2dOptions,
  lifetime: 'kept' | 'work' = 'kept',
  norm: FollowingNorm | null = null,
): Conv2dFilters {
  requireRank('conv2d', 'weight', weight, 4, '[out, kernel height, kernel width, in]');
  const [outChannels, kernelHeight, kernelWidth, inChannels] = weight.shape as Four;
  const geometry = {
    height: 0,
    width: 0,
    inChannels,
    outChannels,
    kernelHeight,
    kernelWidth,
    strideHeight: stride[0],
    strideWidth: stride[1],
    padHeight: padding[0],
    padWidth: padding[1],
    padMode,
  };
  const [out, row, column, channel] = weight.stride as unknown as Four;
  const folded = norm && batchNormScale('conv2d', outChannels, bias, norm.parameters, norm.epsilon);
  const added = folded ? folded.bias : bias;
  const { data, offset } = weight;
  const kernel = kernelOf(conv2dVariants);
  return {
    geometry,
    kernel,
    packed: kernel.pack(
      geometry,
      { data, offset, out, row, column, channel, gain: folded?.gain ?? null },
      lifetime,
    ),
    bias: added === null ? null : vectorOf('conv2d', 'bias', added, outChannels),
  };
}

/**
 * Two-dimensional cross-correlation, channels last: f(W * X + bias) of X [batch, height, width, in]; gives
 * [batch, height', width', out].
 */
export function conv2dPacked(
  x: Tensor,
  filters: Conv2dFilters,
  activation: Conv2dActivation = 'none',
): Tensor {
  const y = conv2dResult(x, filters.geometry);
  convolveInto(y, x, filters, activation);
  return y;
}

/** The same with filters that are packed for this call. */
export function conv2d(x: Tensor, weight: Tensor, bias: Tensor | null, options: Conv2dOptions): Tensor {
  requireRank('conv2d', 'weight', weight, 4, '[out, kernel height, kernel width, in]');
  const y = conv2dResult(x, {
    outChannels: weight.shape[0]!,
    kernelHeight: weight.shape[1]!,
    kernelWidth: weight.shape[2]!,
    inChannels: weight.shape[3]!,
    strideHeight: options.stride[0],
    strideWidth: options.stride[1],
    padHeight: options.padding[0],
    padWidth: options.padding[1],
    padMode: options.padMode,
  });
  scratch(() => convolveInto(y, x, packConv2d(weight, bias, options, 'work'), 'none'));
  return y;
}

/** An empty result for X [batch, height, width, in]. */
function conv2dResult(x: Tensor, filters: Omit<Conv2dGeometry, 'height' | 'width'>): Tensor {
  requireRank('conv2d', 'x', x, 4, '[batch, height, width, channels]');
  const [batch, height, width, inChannels] = x.shape as Four;
  const { outChannels, kernelHeight, kernelWidth } = filters;
  if (filters.inChannels !== inChannels) {
    const weight = [outChannels, kernelHeight, kernelWidth, filters.inChannels];
    throw new ShapeError(
      `conv2d: x ${describeShape(x.shape)} and weight ${describeShape(weight)} do not fit: ` +
        `the last axis of both counts the input channels`,
    );
  }
  const out = conv2dOutputSize({ ...filters, height, width });
  if (height < 1 || width < 1 || out.height < 1 || out.width < 1) {
    throw new ShapeError(
      `conv2d: x ${describeShape(x.shape)} is smaller than the kernel ${kernelHeight} x ${kernelWidth}`,
    );
  }
  return empty([batch, out.height, out.width, outChannels]);
}

function convolveInto(
  y: Tensor,
  x: Tensor,
  { geometry, kernel, packed, bias }: Conv2dFilters,
  activation: Conv2dActivation,
): void {
  const [batch, height, width, inChannels] = x.shape as Four;
  const [, outHeight, outWidth, outChannels] = y.shape as Four;
  const input = contiguous(x);
  for (let b = 0; b < batch; b++) {
    kernel.convolve(
      { ...geometry, height, width },
      input.data,
      input.offset + b * height * width * inChannels,
      packed,
      bias?.data ?? null,
      bias?.offset ?? 0,
      activation,
      y.data,
      y.offset + b * outHeight * outWidth * outChannels,
    );
  }
}
