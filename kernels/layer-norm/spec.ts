import type { KernelSpec, OperandSpecs } from '../spec.js';
import { layerNormGpu } from './gpu.js';
import type { LayerNorm } from './reference.js';
import { layerNormVariants } from './variants.js';

export interface LayerNormSizes {
  readonly rows: number;
  readonly columns: number;
  /** Added to every input, to show what a large mean costs. */
  readonly mean?: number;
}

const EPSILON = 1e-5;

const operands = ({ rows, columns, mean = 0 }: LayerNormSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows, columns, fill: (random) => mean + 2 * random() - 1 },
    weight: { role: 'input', type: 'float32', rows: 1, columns },
    bias: { role: 'input', type: 'float32', rows: 1, columns },
    y: { role: 'output', type: 'float32', rows, columns },
  }) as const satisfies OperandSpecs;

const frames = (name: string, rows: number, columns: number) => ({ name, sizes: { rows, columns } });

export const layerNormSpec: KernelSpec<LayerNormSizes, ReturnType<typeof operands>, LayerNorm> = {
  name: 'layer-norm',
  formula: 'Y[r,c] = (X[r,c] − mean_r) / √(var_r + ε) · w[c] + b[c]',
  shapes: 'X [rows, columns], w and b [columns], Y [rows, columns]',
  source: 'Ba et al. 2016; PyTorch LayerNorm over the last axis',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [
    ...[1, 2, 3, 4, 5, 8, 15, 16, 17, 31, 96].map((columns) => ({ rows: 3, columns })),
    { rows: 1, columns: 640 },
    { rows: 2, columns: 64, mean: 100 },
  ],
  workloads: [
    frames('shipped model, 10 s', 250, 96),
    frames('conformer small, 10 s', 250, 144),
    frames('conformer large, 10 s', 250, 512),
    frames('front end of conformer small, 1 s', 51, 2560),
  ],
  cost: ({ rows, columns }) => ({ operations: 8 * rows * columns, bytes: 8 * (rows + 1) * columns }),
  operands,
  inPlace: [['y', 'x']],
  bind:
    (kernel, { rows, columns }, { x, weight, bias, y }) =>
    () =>
      kernel(
        rows,
        columns,
        EPSILON,
        x.data,
        x.offset,
        x.rowStride,
        weight.data,
        weight.offset,
        bias.data,
        bias.offset,
        y.data,
        y.offset,
        y.rowStride,
      ),
  exact({ rows, columns }, { x, weight, bias }) {
    const y: number[] = [];
    for (let r = 0; r < rows; r++) {
      const row = Array.from({ length: columns }, (_, c) => x.data[x.offset + r * x.rowStride + c]);
      const mean = row.reduce((sum, v) => sum + v, 0) / columns;
      const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / columns;
      row.forEach((v, c) => {
        const normal = (v - mean) / Math.sqrt(variance + EPSILON);
        y.push(normal * weight.data[weight.offset + c] + bias.data[bias.offset + c]);
      });
    }
    return { y };
  },
  variants: layerNormVariants,
  gpu: layerNormGpu,
};
