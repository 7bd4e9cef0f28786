import type { KernelSpec } from '../spec.js';
import { framePoolingGpu } from './gpu.js';
import { type FramePooling, pooledFrames } from './reference.js';
import { framePoolingVariants } from './variants.js';

export interface FramePoolingSizes {
  readonly frames: number;
  readonly width: number;
  readonly pooling: number;
  readonly groups: number;
}

const operands = ({ frames, width, groups }: FramePoolingSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows: frames, columns: width },
    y: {
      role: 'output',
      type: 'float32',
      rows: groups,
      columns: width,
      strided: false,
    },
  }) as const;

export const framePoolingSpec: KernelSpec<FramePoolingSizes, ReturnType<typeof operands>, FramePooling> = {
  name: 'frame-pooling',
  formula: 'Y[n,d] = Σ_{i<s} X[min(n·s + i, T−1), d] / s',
  shapes: 'X [T, D], Y [N, D], N mostly ⌈T/s⌉; beyond the end the last frame counts again',
  source: 'average pooling over time before the quantiser (arXiv 2507.12701)',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [1, 2, 3, 5].flatMap((pooling) =>
    [1, 4, 7].flatMap((frames) =>
      [0, 2].map((more) => ({
        frames,
        width: 1 + frames,
        pooling,
        groups: pooledFrames(frames, pooling) + more,
      })),
    ),
  ),
  example: { frames: 5, width: 4, pooling: 2, groups: 3 },
  workloads: [
    { name: 'shipped model, 1 s', sizes: { frames: 25, width: 96, pooling: 2, groups: 13 } },
    { name: 'shipped model, 10 s', sizes: { frames: 250, width: 96, pooling: 2, groups: 125 } },
  ],
  cost: ({ frames, width, groups }) => ({
    operations: frames * width,
    bytes: 4 * width * (frames + groups),
  }),
  operands,
  bind:
    (kernel, { frames, width, pooling, groups }, { x, y }) =>
    () =>
      kernel(frames, width, pooling, groups, x.data, x.offset, x.rowStride, y.data, y.offset),
  exact({ frames, width, pooling, groups }, { x }) {
    const y: number[] = [];
    for (let start = 0; start < groups * pooling; start += pooling) {
      const group = Array.from({ length: pooling }, (_, i) => Math.min(start + i, frames - 1));
      for (let d = 0; d < width; d++) {
        const mean = group.reduce((sum, t) => sum + x.data[x.offset + t * x.rowStride + d] / pooling, 0);
        y.push(mean);
      }
    }
    return { y };
  },
  variants: framePoolingVariants,
  gpu: framePoolingGpu,
};
