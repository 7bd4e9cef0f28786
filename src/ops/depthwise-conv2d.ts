import type { Conv2dActivation } from '../../kernels/conv2d/reference.js';
import {
  type DepthwiseConv2dGeometry,
  type DepthwiseConv2dKernel,
  depthwiseConv2dOutputSize,
  type PackedDepthwiseFilters,
} from '../../kernels/depthwise-conv2d/reference.js';
import { depthwiseConv2dVariants } from '../../kernels/depthwise-conv2d/variants.js';
import { contiguous, empty, ShapeError, scratch, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireRank, vectorOf } from './shapes.js';

export interface DepthwiseConv2dOptions {
  /** Rows and columns from one output pixel to the next. */
  readonly stride: readonly [number, number];
  /** Rows of zeros above and below, columns of zeros left and right. */
  readonly padding: { readonly rows: readonly [number, number]; readonly columns: readonly [number, number] };
}

/** Filters of a two-dimensional depthwise convolution, packed for many images. */
export interface DepthwiseConv2dFilters {
  /** Of an image without pixels. */
  readonly geometry: DepthwiseConv2dGeometry;
  /** The one that packed them: no other can read them. */
  readonly kernel: DepthwiseConv2dKernel;
  readonly packed: PackedDepthwiseFilters;
  readonly bias: { readonly data: Float32Array; readonly offset: number } | null;
}

const OPERATION = 'depthwiseConv2d';

/** Geometry of an image without pixels for W [channels, kernel height, kernel width]. */
function geometryOf(weight: Tensor, { stride, padding }: DepthwiseConv2dOptions): DepthwiseConv2dGeometry {
  requireRank(OPERATION, 'weight', weight, 3, '[channels, kernel height, kernel width]');
  const [channels, kernelHeight, kernelWidth] = weight.shape as [number, number, number];
  return {
    height: 0,
    width: 0,
    channels,
    kernelHeight,
    kernelWidth,
    strideHeight: stride[0],
    strideWidth: stride[1],
    padTop: padding.rows[0],
    padBottom: padding.rows[1],
    padLeft: padding.columns[0],
    padRight: padding.columns[1],
  };
}

/** Packs W [channels, kernel height, kernel width] and bias [channels] or null. */
export function packDepthwiseConv2d(
  weight: Tensor,
  bias: Tensor | null,
  options: DepthwiseConv2dOptions,
  lifetime: 'kept' | 'work' = 'kept',
): DepthwiseConv2dFilters {
  const geometry = geometryOf(weight, options);
  const filters = contiguous(weight);
  const kernel = kernelOf(depthwiseConv2dVariants);
  return {
    geometry,
    kernel,
    packed: kernel.pack(geometry, filters.data, filters.offset, lifetime),
    bias: bias === null ? null : vectorOf(OPERATION, 'bias', bias, geometry.channels),
  };
}

/**
 * Two-dimensional cross-correlation of each channel by itself, channels last, zeros outside: f(W * X + bias) of X
 * [batch, height, width, channels]; gives [batch, height', width', channels].
 */
export function depthwiseConv2dPacked(
  x: Tensor,
  filters: DepthwiseConv2dFilters,
  activation: Conv2dActivation = 'none',
): Tensor {
  const y = resultFor(x, filters.geometry);
  filterInto(y, x, filters, activation);
  return y;
}

/** The same with filters that are packed for this call. */
export function depthwiseConv2d(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: DepthwiseConv2dOptions,
): Tensor {
  const y = resultFor(x, geometryOf(weight, options));
  scratch(() => filterInto(y, x, packDepthwiseConv2d(weight, bias, options, 'work'), 'none'));
  return y;
}

/** An empty result for X [batch, height, width, channels]. */
function resultFor(x: Tensor, filters: DepthwiseConv2dGeometry): Tensor {
  requireRank(OPERATION, 'x', x, 4, '[batch, height, width, channels]');
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  if (channels !== filters.channels) {
    throw new ShapeError(
      `${OPERATION}: x ${describeShape(x.shape)} and a weight of ${filters.channels} channels do not fit`,
    );
  }
  const out = depthwiseConv2dOutputSize({ ...filters, height, width });
  if (height < 1 || width < 1 || out.height < 1 || out.width < 1) {
    throw new ShapeError(
      `${OPERATION}: x ${describeShape(x.shape)} with its padding is smaller than the kernel ` +
        `${filters.kernelHeight} x ${filters.kernelWidth}`,
    );
  }
  return empty([batch, out.height, out.width, channels]);
}

function filterInto(
  y: Tensor,
  x: Tensor,
  { geometry, kernel, packed, bias }: DepthwiseConv2dFilters,
  activation: Conv2dActivation,
): void {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const [, outHeight, outWidth] = y.shape as [number, number, number, number];
  const input = contiguous(x);
  for (let b = 0; b < batch; b++) {
    kernel.convolve(
      { ...geometry, height, width },
      input.data,
      input.offset + b * height * width * channels,
      packed,
      bias?.data ?? null,
      bias?.offset ?? 0,
      activation,
      y.data,
      y.offset + b * outHeight * outWidth * channels,
    );
  }
}
