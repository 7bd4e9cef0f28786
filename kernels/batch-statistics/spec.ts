import type { KernelSpec, OperandSpecs } from '../spec.js';
import type { BatchStatistics } from './reference.js';
import { batchStatisticsVariants } from './variants.js';

export interface BatchStatisticsSizes {
  readonly rows: number;
  readonly columns: number;
  /** Added to every input, to show what a large mean costs. */
  readonly mean?: number;
}

const operands = ({ rows, columns, mean = 0.5 }: BatchStatisticsSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows, columns, fill: (random) => mean + 2 * random() - 1 },
    mean: { role: 'output', type: 'float32', rows: 1, columns },
    variance: { role: 'output', type: 'float32', rows: 1, columns },
  }) as const satisfies OperandSpecs;

export const batchStatisticsSpec: KernelSpec<
  BatchStatisticsSizes,
  ReturnType<typeof operands>,
  BatchStatistics
> = {
  name: 'batch-statistics',
  formula: 'm[c] = Σ_r X[r,c] / R, v[c] = Σ_r (X[r,c] − m[c])² / R',
  shapes: 'X [R, C], m and v [C]',
  source: 'Ioffe and Szegedy 2015',
  tolerance: 2e-6,
  nonFinite: true,
  sizes: [
    ...[1, 2, 3, 4, 5, 8, 17].flatMap((columns) => [1, 8, 19].map((rows) => ({ rows, columns }))),
    { rows: 2000, columns: 5 },
    { rows: 100, columns: 6, mean: 1000 },
  ],
  example: { rows: 4, columns: 5 },
  workloads: [
    { name: 'keyword network, block 1, 32 clips of 1 s', sizes: { rows: 32 * 50 * 20, columns: 32 } },
    { name: 'CNN14 block 2, 1 s', sizes: { rows: 43 * 40, columns: 128 } },
  ],
  cost: ({ rows, columns }) => ({ operations: 4 * rows * columns, bytes: 4 * (rows + 2) * columns }),
  operands,
  bind:
    (kernel, { rows, columns }, { x, mean, variance }) =>
    () =>
      kernel(
        rows,
        columns,
        x.data,
        x.offset,
        x.rowStride,
        mean.data,
        mean.offset,
        variance.data,
        variance.offset,
      ),
  exact({ rows, columns }, { x }) {
    const average = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / rows;
    const all = Array.from({ length: columns }, (_, c) =>
      Array.from({ length: rows }, (__, r) => x.data[x.offset + r * x.rowStride + c]),
    );
    const mean = all.map(average);
    return { mean, variance: all.map((values, c) => average(values.map((v) => (v - mean[c]) ** 2))) };
  },
  variants: batchStatisticsVariants,
};
