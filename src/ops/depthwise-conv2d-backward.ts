/** Depthwise convolution of images of recordings that lie one after another along time, and its gradients. */
import { depthwiseConv2dBackwardVariants } from '../../kernels/depthwise-conv2d/backward/variants.js';
import {
  type DepthwiseConv2dGeometry,
  depthwiseConv2dOutputSize,
} from '../../kernels/depthwise-conv2d/reference.js';
import { contiguous, empty, ShapeError, scratch, sizeOf, type Tensor, zeros } from '../tensor/index.js';
import { type DepthwiseConv2dOptions, packDepthwiseConv2d } from './depthwise-conv2d.js';
import { kernelOf } from './dispatch.js';
import { addInto } from './elementwise.js';
import { requireLengths } from './recordings.js';
import { describeShape, requireRank, requireShape } from './shapes.js';

const OPERATION = 'depthwiseConv2d';

/** One recording's image before and after the convolution, and where both begin. */
interface Image {
  readonly geometry: DepthwiseConv2dGeometry;
  readonly from: number;
  readonly to: number;
}

interface Images {
  readonly each: readonly Image[];
  /** Time steps of each recording after the convolution. */
  readonly lengths: readonly number[];
  readonly outShape: readonly [steps: number, bands: number, channels: number];
}

function imagesOf(
  x: Tensor,
  weight: Tensor,
  { stride, padding }: DepthwiseConv2dOptions,
  lengths: readonly number[],
): Images {
  requireRank(OPERATION, 'x', x, 3, '[Σ time, frequency, channels]');
  requireRank(OPERATION, 'weight', weight, 3, '[channels, kernel time, kernel frequency]');
  requireLengths(OPERATION, x, lengths);
  const [, width, channels] = x.shape as [number, number, number];
  const [filters, kernelHeight, kernelWidth] = weight.shape as [number, number, number];
  if (channels !== filters) {
    throw new ShapeError(
      `${OPERATION}: x ${describeShape(x.shape)} and a weight of ${filters} channels do not fit`,
    );
  }
  const each: Image[] = [];
  const after: number[] = [];
  let [from, to, steps, bands] = [0, 0, 0, 0];
  for (const height of lengths) {
    const geometry = {
      height,
      width,
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
    const out = depthwiseConv2dOutputSize(geometry);
    if (out.height < 1 || out.width < 1) {
      throw new ShapeError(
        `${OPERATION}: a recording of ${height} x ${width} with its padding is smaller than the kernel ` +
          `${kernelHeight} x ${kernelWidth}`,
      );
    }
    each.push({ geometry, from, to });
    after.push(out.height);
    from += height * width * channels;
    to += out.height * out.width * channels;
    steps += out.height;
    bands = out.width;
  }
  return { each, lengths: after, outShape: [steps, bands, channels] };
}

/**
 * Two-dimensional cross-correlation of each channel by itself, padded at the ends of each recording: X [Σ time, frequency,
 * channels], W [channels, kernel time, kernel frequency], bias [channels] or null; gives Y [Σ time', frequency', channels]
 * and each time'.
 */
export function depthwiseConv2dRecordings(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: DepthwiseConv2dOptions,
  lengths: readonly number[],
): { readonly y: Tensor; readonly lengths: readonly number[] } {
  const images = imagesOf(x, weight, options, lengths);
  const y = empty(images.outShape);
  const input = contiguous(x);
  scratch(() => {
    const { kernel, packed, bias: added } = packDepthwiseConv2d(weight, bias, options, 'work');
    for (const { geometry, from, to } of images.each) {
      const [at, result] = [input.offset + from, y.offset + to];
      const [addedData, addedOffset] = [added?.data ?? null, added?.offset ?? 0];
      kernel.convolve(geometry, input.data, at, packed, addedData, addedOffset, 'none', y.data, result);
    }
  });
  return { y, lengths: images.lengths };
}

/** dX of the shape of X and dW of the shape of W, from dY of the shape of Y. */
export function depthwiseConv2dGradients(
  x: Tensor,
  weight: Tensor,
  dy: Tensor,
  options: DepthwiseConv2dOptions,
  lengths: readonly number[],
): { readonly dx: Tensor; readonly dw: Tensor } {
  const images = imagesOf(x, weight, options, lengths);
  requireShape(OPERATION, 'dy', dy, images.outShape);
  const [input, filters, cotangent] = [contiguous(x), contiguous(weight), contiguous(dy)];
  const dx = empty(x.shape);
  const dw = empty(weight.shape);
  dw.data.fill(0, dw.offset, dw.offset + sizeOf(dw.shape));
  scratch(() => {
    const kernel = kernelOf(depthwiseConv2dBackwardVariants);
    const part = zeros(weight.shape);
    for (const { geometry, from, to } of images.each) {
      kernel(
        geometry,
        input.data,
        input.offset + from,
        filters.data,
        filters.offset,
        cotangent.data,
        cotangent.offset + to,
        dx.data,
        dx.offset + from,
        part.data,
        0,
      );
      addInto(dw, part, dw);
    }
  });
  return { dx, dw };
}
