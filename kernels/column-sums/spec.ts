import type { KernelSpec, OperandSpecs } from '../spec.js';
import type { ColumnSums } from './reference.js';
import { columnSumsVariants } from './variants.js';

export interface ColumnSumsSizes {
  readonly rows: number;
  readonly columns: number;
  readonly accumulate?: boolean;
}

const operands = ({ rows, columns }: ColumnSumsSizes) =>
  ({
    // Not around 0: what is left where most cancels has few digits in float32.
    x: { role: 'input', type: 'float32', rows, columns, fill: (random) => 2 * random() - 0.5 },
    initial: { role: 'input', type: 'float32', rows: 1, columns },
    sums: { role: 'output', type: 'float32', rows: 1, columns },
  }) as const satisfies OperandSpecs;

export const columnSumsSpec: KernelSpec<ColumnSumsSizes, ReturnType<typeof operands>, ColumnSums> = {
  name: 'column-sums',
  formula: 'S[c] = Σ_r X[r,c]  (+ S[c] where it accumulates)',
  shapes: 'X [rows, columns], S [columns]',
  source: 'gradient of a bias that is added to every row',
  tolerance: 2e-6,
  nonFinite: true,
  // Around vectors of four columns and groups of eight rows
  sizes: [
    ...[1, 2, 3, 4, 5, 8, 17].flatMap((columns) => [1, 8, 19].map((rows) => ({ rows, columns }))),
    { rows: 9, columns: 6, accumulate: true },
    { rows: 3, columns: 16, accumulate: true },
    { rows: 5000, columns: 5 },
  ],
  example: { rows: 4, columns: 5 },
  workloads: [
    { name: 'bias of 256 outputs, 32 s', sizes: { rows: 800, columns: 256 } },
    { name: 'CNN14 block 2, bias, 1 s', sizes: { rows: 43 * 40, columns: 128 } },
  ],
  cost: ({ rows, columns }) => ({ operations: rows * columns, bytes: 4 * (rows + 1) * columns }),
  operands,
  bind(kernel, { rows, columns, accumulate = false }, { x, initial, sums }) {
    return () => {
      if (accumulate) {
        sums.data.set(initial.data.subarray(initial.offset, initial.offset + columns), sums.offset);
      }
      kernel(rows, columns, accumulate, x.data, x.offset, x.rowStride, sums.data, sums.offset);
    };
  },
  exact({ rows, columns, accumulate }, { x, initial }) {
    const sums = Array.from({ length: columns }, (_, c) =>
      accumulate ? initial.data[initial.offset + c] : 0,
    );
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) sums[c] += x.data[x.offset + r * x.rowStride + c];
    }
    return { sums };
  },
  variants: columnSumsVariants,
};
