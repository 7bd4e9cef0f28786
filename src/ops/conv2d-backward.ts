/** Two-dimensional convolution of recordings that lie one after another along time, and its gradients. */
import { conv2dBackwardVariants } from '../../kernels/conv2d/backward/variants.js';
import { type Conv2dGeometry, conv2dOutputSize } from '../../kernels/conv2d/reference.js';
import { conv2dScatterVariants } from '../../kernels/conv2d/scatter/variants.js';
import {
  contiguous,
  empty,
  reshape,
  ShapeError,
  scratch,
  sizeOf,
  type Tensor,
  view,
} from '../tensor/index.js';
import { type Conv2dFilters, type Conv2dOptions, packConv2d } from './conv2d.js';
import { kernelOf } from './dispatch.js';
import { linearPacked, packLinear } from './matmul.js';
import { requireLengths } from './recordings.js';
import { describeShape, requireRank, requireShape } from './shapes.js';

const OPERATION = 'conv2d';

/** Images of several recordings before and after a convolution. */
interface Images {
  readonly geometries: readonly Conv2dGeometry[];
  /** Time steps of each recording after the convolution. */
  readonly lengths: readonly number[];
  readonly outWidth: number;
}

function imagesOf(
  width: number,
  weight: Tensor,
  { stride, padding, padMode }: Conv2dOptions,
  lengths: readonly number[],
): Images {
  requireRank(OPERATION, 'weight', weight, 4, '[out, kernel time, kernel frequency, in]');
  const [outChannels, kernelHeight, kernelWidth, inChannels] = weight.shape as [
    number,
    number,
    number,
    number,
  ];
  const geometries = lengths.map((height) => ({
    height,
    width,
    inChannels,
    outChannels,
    kernelHeight,
    kernelWidth,
    strideHeight: stride[0],
    strideWidth: stride[1],
    padHeight: padding[0],
    padWidth: padding[1],
    padMode,
  }));
  const outs = geometries.map(conv2dOutputSize);
  const small = outs.findIndex((out) => out.height < 1 || out.width < 1);
  if (small >= 0) {
    throw new ShapeError(
      `${OPERATION}: a recording of ${lengths[small]} x ${width} is smaller than the kernel ` +
        `${kernelHeight} x ${kernelWidth}`,
    );
  }
  return { geometries, lengths: outs.map(({ height }) => height), outWidth: outs[0]?.width ?? 0 };
}

function requireImage(x: Tensor, weight: Tensor, lengths: readonly number[]): void {
  requireRank(OPERATION, 'x', x, 3, '[Σ time, frequency, channels]');
  requireLengths(OPERATION, x, lengths);
  if (weight.shape[3] === x.shape[2]) return;
  throw new ShapeError(
    `${OPERATION}: x ${describeShape(x.shape)} and weight ${describeShape(weight.shape)} do not fit: ` +
      'the last axis of both counts the input channels',
  );
}

/** One image of X after another to those of Y. */
function convolveEach(
  y: Tensor,
  x: Tensor,
  { kernel, packed, bias }: Conv2dFilters,
  geometries: readonly Conv2dGeometry[],
): void {
  const input = contiguous(x);
  let [from, to] = [input.offset, y.offset];
  for (const g of geometries) {
    kernel.convolve(g, input.data, from, packed, bias?.data ?? null, bias?.offset ?? 0, 'none', y.data, to);
    const out = conv2dOutputSize(g);
    from += g.height * g.width * g.inChannels;
    to += out.height * out.width * g.outChannels;
  }
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/**
 * Two-dimensional cross-correlation, channels last, padded at the ends of each recording: X [Σ time, frequency, in], W
 * [out, kernel time, kernel frequency, in], bias [out] or null; gives Y [Σ time', frequency', out] and each time'.
 */
export function conv2dRecordings(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: Conv2dOptions,
  lengths: readonly number[],
): { readonly y: Tensor; readonly lengths: readonly number[] } {
  requireImage(x, weight, lengths);
  const images = imagesOf(x.shape[1]!, weight, options, lengths);
  const y = empty([sum(images.lengths), images.outWidth, weight.shape[0]!]);
  scratch(() => convolveEach(y, x, packConv2d(weight, bias, options, 'work'), images.geometries));
  return { y, lengths: images.lengths };
}

/** dW of the shape of W, from X [Σ time, frequency, in] and dY [Σ time', frequency', out]. */
export function conv2dWeightGradient(
  x: Tensor,
  dy: Tensor,
  weight: Tensor,
  options: Conv2dOptions,
  lengths: readonly number[],
): Tensor {
  requireImage(x, weight, lengths);
  const images = imagesOf(x.shape[1]!, weight, options, lengths);
  requireShape(OPERATION, 'dy', dy, [sum(images.lengths), images.outWidth, weight.shape[0]!]);
  const dw = empty(weight.shape);
  const [input, cotangent] = [contiguous(x), contiguous(dy)];
  const [first] = images.geometries;
  if (first === undefined) {
    dw.data.fill(0, dw.offset, dw.offset + sizeOf(dw.shape));
    return dw;
  }
  kernelOf(conv2dBackwardVariants)(
    first,
    lengths,
    input.data,
    input.offset,
    cotangent.data,
    cotangent.offset,
    dw.data,
    dw.offset,
  );
  return dw;
}

/**
 * dX [Σ time, `frequencies`, in] from dY [Σ time', frequency', out]. With stride 1 and zeros around, it is the convolution
 * of dY with the filters turned by half a circle, in and out exchanged; otherwise dY W, put back where windows were.
 */
export function conv2dInputGradient(
  dy: Tensor,
  weight: Tensor,
  options: Conv2dOptions,
  lengths: readonly number[],
  frequencies: number,
): Tensor {
  const images = imagesOf(frequencies, weight, options, lengths);
  const [outChannels, kernelHeight, kernelWidth, inChannels] = weight.shape as [
    number,
    number,
    number,
    number,
  ];
  requireShape(OPERATION, 'dy', dy, [sum(images.lengths), images.outWidth, outChannels]);
  const dx = empty([sum(lengths), frequencies, inChannels]);
  const padding = [kernelHeight - 1 - options.padding[0], kernelWidth - 1 - options.padding[1]] as const;
  const { stride, padMode } = options;
  if (stride[0] * stride[1] === 1 && padMode === 'zero' && padding[0] >= 0 && padding[1] >= 0) {
    const turned = weight.step(1, -1, -1, 1).transpose(3, 1, 2, 0);
    const back: Conv2dOptions = { stride: [1, 1], padding, padMode: 'zero' };
    const { geometries } = imagesOf(images.outWidth, turned, back, images.lengths);
    scratch(() => convolveEach(dx, dy, packConv2d(turned, null, back, 'work'), geometries));
  } else {
    scratch(() => scatterEach(dx, dy, weight, images));
  }
  return dx;
}

function scatterEach(dx: Tensor, dy: Tensor, weight: Tensor, { geometries }: Images): void {
  const window = sizeOf(weight.shape.slice(1));
  const outChannels = weight.shape[0]!;
  const filters = packLinear(reshape(weight, [outChannels, window]).transpose(1, 0), null, 'work');
  const kernel = kernelOf(conv2dScatterVariants);
  const cotangent = contiguous(dy);
  let [from, to] = [cotangent.offset, dx.offset];
  for (const g of geometries) {
    const out = conv2dOutputSize(g);
    const pixels = out.height * out.width;
    scratch(() => {
      const windows = linearPacked(view(cotangent.data, [pixels, outChannels], undefined, from), filters);
      kernel(g, windows.data, windows.offset, dx.data, to);
    });
    from += pixels * outChannels;
    to += g.height * g.width * g.inChannels;
  }
}
