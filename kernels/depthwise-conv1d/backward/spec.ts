import type { KernelSpec } from '../../spec.js';
import type { DepthwiseConv1dBackward } from './reference.js';
import { depthwiseConv1dBackwardVariants } from './variants.js';

export interface DepthwiseConv1dBackwardSizes {
  /** Frames of each recording. */
  readonly lengths: readonly number[];
  readonly channels: number;
  readonly taps: number;
}

const framesOf = (lengths: readonly number[]): number => lengths.reduce((sum, frames) => sum + frames, 0);

const operands = ({ lengths, channels, taps }: DepthwiseConv1dBackwardSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows: framesOf(lengths), columns: channels },
    dy: { role: 'input', type: 'float32', rows: framesOf(lengths), columns: channels },
    dw: { role: 'output', type: 'float32', rows: channels, columns: taps },
  }) as const;

export const depthwiseConv1dBackwardSpec: KernelSpec<
  DepthwiseConv1dBackwardSizes,
  ReturnType<typeof operands>,
  DepthwiseConv1dBackward
> = {
  name: 'depthwise-conv1d-backward',
  formula: 'dW[c,i] = Σ_t dY[t,c] X[t + i − (n−1)/2, c]',
  shapes: 'X and dY [Σ T, C], dW [C, n] with n odd; zeros outside each recording of T frames',
  source: 'derivative of depthwise-conv1d by its taps',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [
    // Frames around groups of 4, 2 and 1; taps around sums of 8; channels around vectors of 4 and slabs of 16
    ...[1, 2, 3, 4, 5, 8, 11].map((frames) => ({ lengths: [frames], channels: 3, taps: 5 })),
    ...[1, 7, 9, 15, 17, 31].map((taps) => ({ lengths: [6, 13], channels: 5, taps })),
    ...[1, 4, 15, 16, 17, 36].map((channels) => ({ lengths: [7, 1, 3], channels, taps: 3 })),
  ],
  example: { lengths: [4, 2], channels: 3, taps: 3 },
  workloads: [
    {
      name: 'shipped model, 16 utterances of 2 s',
      sizes: { lengths: Array(16).fill(50), channels: 96, taps: 15 },
    },
    { name: 'conformer large, 10 s', sizes: { lengths: [250], channels: 512, taps: 31 } },
  ],
  cost: ({ lengths, channels, taps }) => ({
    operations: 2 * framesOf(lengths) * channels * taps,
    bytes: 4 * channels * (2 * framesOf(lengths) + taps),
  }),
  operands,
  bind:
    (kernel, { lengths, channels, taps }, { x, dy, dw }) =>
    () =>
      kernel(
        lengths,
        channels,
        taps,
        x.data,
        x.offset,
        x.rowStride,
        dy.data,
        dy.offset,
        dy.rowStride,
        dw.data,
        dw.offset,
        dw.rowStride,
      ),
  exact({ lengths, channels, taps }, { x, dy }) {
    const dw = new Float64Array(channels * taps);
    // Each product of the convolution gives its part: y[t] += x[seen] w[i].
    lengths.forEach((frames, n) => {
      const start = framesOf(lengths.slice(0, n));
      for (let t = 0; t < frames; t++) {
        for (let seen = 0; seen < frames; seen++) {
          const i = seen - t + (taps - 1) / 2;
          if (i < 0 || i >= taps) continue;
          for (let c = 0; c < channels; c++) {
            dw[c * taps + i] +=
              dy.data[dy.offset + (start + t) * dy.rowStride + c] *
              x.data[x.offset + (start + seen) * x.rowStride + c];
          }
        }
      }
    });
    return { dw };
  },
  variants: depthwiseConv1dBackwardVariants,
};
