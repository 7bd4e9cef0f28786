import type { KernelSpec, Operand, OperandSpecs, Operands } from '../spec.js';
import { logSoftmaxGpu, softmaxGpu } from './gpu.js';
import type { Softmax } from './reference.js';
import { logSoftmaxVariants, softmaxVariants } from './variants.js';

export interface RowSizes {
  readonly rows: number;
  readonly columns: number;
}

const operands = ({ rows, columns }: RowSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows, columns, fill: (random) => 20 * random() - 10 },
    y: { role: 'output', type: 'float32', rows, columns },
  }) as const satisfies OperandSpecs;

/** log Σ exp of each row, with the maximum taken out. */
function rowLogSum(x: Operand, row: number, columns: number): number {
  const values = Array.from({ length: columns }, (_, c) => x.data[x.offset + row * x.rowStride + c]);
  const top = Math.max(...values);
  return top + Math.log(values.reduce((sum, v) => sum + Math.exp(v - top), 0));
}

const shared = {
  shapes: 'X [rows, columns], Y [rows, columns]',
  // Around vectors of 4 and walks of 4 and 2 of them
  sizes: [1, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 33, 250].flatMap((columns) => [
    { rows: 1, columns },
    { rows: 3, columns },
  ]),
  workloads: [
    { name: 'class scores of the shipped model, 10 s', sizes: { rows: 250, columns: 21 } },
    { name: 'attention rows, 4 heads, 10 s', sizes: { rows: 1000, columns: 250 } },
    { name: '5,000 word pieces, 1 s', sizes: { rows: 25, columns: 5000 } },
  ],
  cost: ({ rows, columns }: RowSizes) => ({ operations: 5 * rows * columns, bytes: 8 * rows * columns }),
  operands,
  inPlace: [['y', 'x'] as const],
  bind(kernel: Softmax, { rows, columns }: RowSizes, { x, y }: Operands<ReturnType<typeof operands>>) {
    return () => {
      kernel(rows, columns, x.data, x.offset, x.rowStride, y.data, y.offset, y.rowStride);
    };
  },
};

export const softmaxSpec: KernelSpec<RowSizes, ReturnType<typeof operands>, Softmax> = {
  ...shared,
  name: 'softmax',
  formula: 'Y[r,c] = exp X[r,c] / Σ_i exp X[r,i]',
  source: 'Bridle 1990; PyTorch softmax over the last axis',
  tolerance: 1e-6,
  nonFinite: true,
  exact({ rows, columns }, { x }) {
    const y: number[] = [];
    for (let r = 0; r < rows; r++) {
      const logSum = rowLogSum(x, r, columns);
      for (let c = 0; c < columns; c++) y.push(Math.exp(x.data[x.offset + r * x.rowStride + c] - logSum));
    }
    return { y };
  },
  variants: softmaxVariants,
  gpu: softmaxGpu,
};

export const logSoftmaxSpec: KernelSpec<RowSizes, ReturnType<typeof operands>, Softmax> = {
  ...shared,
  name: 'log-softmax',
  formula: 'Y[r,c] = X[r,c] − log Σ_i exp X[r,i]',
  source: 'PyTorch log_softmax over the last axis',
  tolerance: 1e-6,
  nonFinite: true,
  exact({ rows, columns }, { x }) {
    const y: number[] = [];
    for (let r = 0; r < rows; r++) {
      const logSum = rowLogSum(x, r, columns);
      for (let c = 0; c < columns; c++) y.push(x.data[x.offset + r * x.rowStride + c] - logSum);
    }
    return { y };
  },
  variants: logSoftmaxVariants,
  gpu: logSoftmaxGpu,
};
