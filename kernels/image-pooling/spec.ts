import type { KernelSpec, Operand } from '../spec.js';
import type { ImagePooling, ImagePoolingSizes } from './reference.js';
import { imagePoolingVariants } from './variants.js';

const operands = ({ steps, bands, channels }: ImagePoolingSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows: steps * bands, columns: channels, strided: false },
    y: { role: 'output', type: 'float32', rows: 1, columns: channels, strided: false },
  }) as const;

/** Means over the bands of one channel, for the float64 formulas. */
export const meansOf = ({ steps, bands, channels }: ImagePoolingSizes, x: Operand, c: number): number[] =>
  Array.from({ length: steps }, (_, t) => {
    const column = Array.from(
      { length: bands },
      (__, f) => x.data[x.offset + (t * bands + f) * channels + c] / bands,
    );
    return column.reduce((sum, value) => sum + value, 0);
  });

export const imagePoolingSpec: KernelSpec<ImagePoolingSizes, ReturnType<typeof operands>, ImagePooling> = {
  name: 'image-pooling',
  formula: 'y[c] = max_t m[t,c] + Σ_t m[t,c] / T, m[t,c] = Σ_f X[t,f,c] / F',
  shapes: 'X [T, F, C], y [C]',
  source: 'head of CNN14 (Kong et al. 2020)',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [1, 2, 5].flatMap((steps) => [1, 3].map((bands) => ({ steps, bands, channels: steps + bands }))),
  example: { steps: 4, bands: 2, channels: 3 },
  workloads: [
    { name: 'CNN14 of small width, 5 s', sizes: { steps: 13, bands: 2, channels: 256 } },
    { name: 'CNN14, 5 s', sizes: { steps: 13, bands: 2, channels: 2048 } },
  ],
  cost: ({ steps, bands, channels }) => ({
    operations: steps * bands * channels,
    bytes: 4 * channels * (steps * bands + 1),
  }),
  operands,
  bind:
    (kernel, sizes, { x, y }) =>
    () =>
      kernel(sizes, x.data, x.offset, y.data, y.offset),
  exact(sizes, { x }) {
    const y = Array.from({ length: sizes.channels }, (_, c) => {
      const means = meansOf(sizes, x, c);
      return Math.max(...means) + means.reduce((sum, mean) => sum + mean, 0) / sizes.steps;
    });
    return { y };
  },
  variants: imagePoolingVariants,
};
