import type { KernelSpec } from '../spec.js';
import { depthwiseConv1dGpu } from './gpu.js';
import type { DepthwiseConv1dKernel } from './reference.js';
import { depthwiseConv1dVariants } from './variants.js';

export interface DepthwiseConv1dSizes {
  readonly frames: number;
  readonly channels: number;
  readonly taps: number;
}

const operands = ({ frames, channels, taps }: DepthwiseConv1dSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows: frames, columns: channels },
    weight: { role: 'input', type: 'float32', rows: channels, columns: taps },
    bias: { role: 'input', type: 'float32', rows: 1, columns: channels },
    y: { role: 'output', type: 'float32', rows: frames, columns: channels },
  }) as const;

const filtered = (name: string, frames: number, channels: number, taps: number) => ({
  name,
  sizes: { frames, channels, taps },
});

export const depthwiseConv1dSpec: KernelSpec<
  DepthwiseConv1dSizes,
  ReturnType<typeof operands>,
  DepthwiseConv1dKernel
> = {
  name: 'depthwise-conv1d',
  formula: 'Y[t,c] = bias[c] + Σ_i X[t + i − (n−1)/2, c] W[c,i]',
  shapes: 'X [T, C], W [C, n] with n odd, bias [C], Y [T, C]; zeros outside X',
  source: 'convolution module of Conformer (Gulati et al. 2020), PyTorch Conv1d with groups = channels',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [
    ...[1, 2, 3, 4, 5, 8, 11].map((frames) => ({ frames, channels: 3, taps: 5 })),
    ...[1, 4, 9].map((channels) => ({ frames: 10, channels, taps: 3 })),
    // Frames around tiles of 4 and 8, channels around slabs of 16, taps around groups of 4
    ...[7, 9, 12, 13, 16, 17].map((frames) => ({ frames, channels: 5, taps: 7 })),
    ...[15, 16, 17, 31, 33, 36].map((channels) => ({ frames: 9, channels, taps: 9 })),
    { frames: 6, channels: 2, taps: 1 },
    { frames: 5, channels: 2, taps: 31 },
    { frames: 70, channels: 4, taps: 31 },
  ],
  example: { frames: 6, channels: 4, taps: 3 },
  workloads: [
    filtered('shipped model, 1 s', 25, 96, 15),
    filtered('shipped model, 10 s', 250, 96, 15),
    filtered('conformer small, 1 s', 25, 144, 31),
    filtered('conformer small, 10 s', 250, 144, 31),
    filtered('conformer large, 10 s', 250, 512, 31),
  ],
  cost: ({ frames, channels, taps }) => ({
    operations: 2 * frames * channels * taps,
    bytes: 4 * channels * (2 * frames + taps),
  }),
  operands,
  bind(kernel, { frames, channels, taps }, { x, weight, bias, y }) {
    const filters = kernel.pack(channels, taps, weight.data, weight.offset, weight.rowStride, 'kept');
    return () =>
      kernel.convolve(
        frames,
        x.data,
        x.offset,
        x.rowStride,
        filters,
        bias.data,
        bias.offset,
        y.data,
        y.offset,
        y.rowStride,
      );
  },
  exact({ frames, channels, taps }, { x, weight, bias }) {
    const y = new Float64Array(frames * channels);
    for (let t = 0; t < frames; t++) {
      for (let c = 0; c < channels; c++) {
        let sum = bias.data[bias.offset + c];
        for (let i = 0; i < taps; i++) {
          const at = t + i - (taps - 1) / 2;
          if (at < 0 || at >= frames) continue;
          sum +=
            x.data[x.offset + at * x.rowStride + c] * weight.data[weight.offset + c * weight.rowStride + i];
        }
        y[t * channels + c] = sum;
      }
    }
    return { y };
  },
  variants: depthwiseConv1dVariants,
  gpu: depthwiseConv1dGpu,
};
