/** Depthwise convolution of recordings that lie one after another along time, and its gradients. */
import { depthwiseConv1dBackwardVariants } from '../../kernels/depthwise-conv1d/backward/variants.js';
import { empty, ShapeError, scratch, type Tensor, zeros } from '../tensor/index.js';
import { packDepthwiseConv1d } from './depthwise-conv1d.js';
import { kernelOf } from './dispatch.js';
import { requireLengths } from './recordings.js';
import { describeShape, requireRank, requireShape, rowsOf } from './shapes.js';

const OPERATION = 'depthwiseConv1d';

/**
 * Depthwise cross-correlation along time, zeros outside each recording: X [Σ lengths, channels], W [channels, taps] with
 * an odd number of taps, bias [channels] or null; gives the shape of X.
 */
export function depthwiseConv1dRecordings(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  lengths: readonly number[],
): Tensor {
  requireRank(OPERATION, 'x', x, 2, '[Σ frames, channels]');
  requireRank(OPERATION, 'weight', weight, 2, '[channels, taps]');
  const channels = weight.shape[0]!;
  if (x.shape[1] !== channels) {
    throw new ShapeError(
      `${OPERATION}: x ${describeShape(x.shape)} and a weight of ${channels} channels do not fit`,
    );
  }
  requireLengths(OPERATION, x, lengths);
  const y = empty(x.shape);
  const input = rowsOf(OPERATION, 'x', x);
  scratch(() => {
    const { kernel, packed, bias: added } = packDepthwiseConv1d(weight, bias, 'work');
    let start = 0;
    for (const frames of lengths) {
      kernel.convolve(
        frames,
        input.data,
        input.offset + start * input.rowStride,
        input.rowStride,
        packed,
        added?.data ?? null,
        added?.offset ?? 0,
        y.data,
        y.offset + start * channels,
        channels,
      );
      start += frames;
    }
  });
  return y;
}

/** W with its taps in reverse order. */
function reversed(weight: Tensor): Tensor {
  const turned = zeros(weight.shape);
  const [channels, taps] = weight.shape as [number, number];
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < taps; i++) turned.data[c * taps + i] = weight.get(c, taps - 1 - i);
  }
  return turned;
}

/** dX of the shape of dY: the convolution of dY with the taps in reverse order. */
export const depthwiseConv1dInputGradient = (
  dy: Tensor,
  weight: Tensor,
  lengths: readonly number[],
): Tensor => depthwiseConv1dRecordings(dy, reversed(weight), null, lengths);

/** dW [channels, taps] from X and dY [Σ lengths, channels]. */
export function depthwiseConv1dWeightGradient(
  x: Tensor,
  dy: Tensor,
  taps: number,
  lengths: readonly number[],
): Tensor {
  requireRank(OPERATION, 'x', x, 2, '[Σ frames, channels]');
  requireShape(OPERATION, 'dy', dy, x.shape);
  requireLengths(OPERATION, x, lengths);
  const [input, cotangent] = [rowsOf(OPERATION, 'x', x), rowsOf(OPERATION, 'dy', dy)];
  const dw = empty([input.columns, taps]);
  kernelOf(depthwiseConv1dBackwardVariants)(
    lengths,
    input.columns,
    taps,
    input.data,
    input.offset,
    input.rowStride,
    cotangent.data,
    cotangent.offset,
    cotangent.rowStride,
    dw.data,
    dw.offset,
    taps,
  );
  return dw;
}
