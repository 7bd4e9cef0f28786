import type { DepthwiseConv1dKernel, PackedTaps } from '../../kernels/depthwise-conv1d/reference.js';
import { depthwiseConv1dVariants } from '../../kernels/depthwise-conv1d/variants.js';
import { contiguous, empty, ShapeError, scratch, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { describeShape, requireRank, vectorOf } from './shapes.js';

/** Filters of a depthwise convolution, packed for many signals. */
export interface DepthwiseFilters {
  /** The one that packed them: no other can read them. */
  readonly kernel: DepthwiseConv1dKernel;
  readonly packed: PackedTaps;
  readonly bias: { readonly data: Float32Array; readonly offset: number } | null;
}

/** Packs W [channels, taps], with an odd number of taps, and bias [channels] or null. */
export function packDepthwiseConv1d(
  weight: Tensor,
  bias: Tensor | null,
  lifetime: 'kept' | 'work' = 'kept',
): DepthwiseFilters {
  requireRank('depthwiseConv1d', 'weight', weight, 2, '[channels, taps]');
  const [channels, taps] = weight.shape as [number, number];
  if (taps % 2 === 0) {
    throw new ShapeError(`depthwiseConv1d: ${taps} taps have no centre, expected an odd number`);
  }
  const { data, offset } = contiguous(weight);
  const kernel = kernelOf(depthwiseConv1dVariants);
  return {
    kernel,
    packed: kernel.pack(channels, taps, data, offset, taps, lifetime),
    bias: bias === null ? null : vectorOf('depthwiseConv1d', 'bias', bias, channels),
  };
}

/**
 * Depthwise cross-correlation along time with zeros outside: X [batch, frames, channels]; gives the shape of X.
 */
export function depthwiseConv1dPacked(x: Tensor, filters: DepthwiseFilters): Tensor {
  const y = depthwiseResult(x, filters.packed.channels);
  filterInto(y, x, filters);
  return y;
}

/** The same with taps that are packed for this call. */
export function depthwiseConv1d(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  requireRank('depthwiseConv1d', 'weight', weight, 2, '[channels, taps]');
  const y = depthwiseResult(x, weight.shape[0]!);
  scratch(() => filterInto(y, x, packDepthwiseConv1d(weight, bias, 'work')));
  return y;
}

function depthwiseResult(x: Tensor, channels: number): Tensor {
  requireRank('depthwiseConv1d', 'x', x, 3, '[batch, frames, channels]');
  if (x.shape[2] === channels) return empty(x.shape);
  throw new ShapeError(
    `depthwiseConv1d: x ${describeShape(x.shape)} and a weight of ${channels} channels do not fit`,
  );
}

function filterInto(y: Tensor, x: Tensor, { kernel, packed, bias }: DepthwiseFilters): void {
  const [batch, frames, channels] = x.shape as [number, number, number];
  const input = contiguous(x);
  for (let b = 0; b < batch; b++) {
    const step = b * frames * channels;
    kernel.convolve(
      frames,
      input.data,
      input.offset + step,
      channels,
      packed,
      bias?.data ?? null,
      bias?.offset ?? 0,
      y.data,
      y.offset + step,
      channels,
    );
  }
}
