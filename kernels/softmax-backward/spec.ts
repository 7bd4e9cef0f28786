import type { KernelSpec, OperandSpec, Operands } from '../spec.js';
import type { SoftmaxBackward } from './reference.js';
import { logSoftmaxBackwardVariants, softmaxBackwardVariants } from './variants.js';

export interface RowSizes {
  readonly rows: number;
  readonly columns: number;
}

type RowOperands = Record<'y' | 'dy' | 'dx', OperandSpec<'float32'>>;

const operandsWith =
  (fill: (random: () => number) => number) =>
  ({ rows, columns }: RowSizes): RowOperands => ({
    y: { role: 'input', type: 'float32', rows, columns, fill },
    dy: { role: 'input', type: 'float32', rows, columns },
    dx: { role: 'output', type: 'float32', rows, columns },
  });

const shared = {
  shapes: 'Y, dY and dX [rows, columns]',
  // Around vectors of 4 and walks of 4 of them
  sizes: [1, 2, 3, 4, 5, 8, 15, 16, 17, 33, 250].flatMap((columns) => [
    { rows: 1, columns },
    { rows: 3, columns },
  ]),
  inPlace: [['dx', 'dy'] as const],
  bind:
    (kernel: SoftmaxBackward, { rows, columns }: RowSizes, { y, dy, dx }: Operands<RowOperands>) =>
    () =>
      kernel(
        rows,
        columns,
        y.data,
        y.offset,
        y.rowStride,
        dy.data,
        dy.offset,
        dy.rowStride,
        dx.data,
        dx.offset,
        dx.rowStride,
      ),
};

/** Each row of y and dy as arrays, mapped to a row of dx. */
const byRows =
  (gradient: (y: readonly number[], dy: readonly number[]) => readonly number[]) =>
  ({ rows, columns }: RowSizes, { y, dy }: Operands<RowOperands>) => {
    const dx: number[] = [];
    for (let r = 0; r < rows; r++) {
      const row = ({ data, offset, rowStride }: typeof y) =>
        Array.from({ length: columns }, (_, c) => data[offset + r * rowStride + c]);
      dx.push(...gradient(row(y), row(dy)));
    }
    return { dx };
  };

export const softmaxBackwardSpec: KernelSpec<RowSizes, RowOperands, SoftmaxBackward> = {
  ...shared,
  name: 'softmax-backward',
  formula: 'dX[r,c] = Y[r,c] (dY[r,c] − Σ_i Y[r,i] dY[r,i])',
  source: 'PyTorch softmax over the last axis, its gradient',
  tolerance: 2e-6,
  nonFinite: true,
  workloads: [{ name: 'attention rows, 4 heads, 2 s', sizes: { rows: 200, columns: 50 } }],
  operands: operandsWith((random) => random()),
  cost: ({ rows, columns }) => ({ operations: 4 * rows * columns, bytes: 12 * rows * columns }),
  exact: byRows((y, dy) => {
    const sum = y.reduce((total, v, c) => total + v * dy[c], 0);
    return y.map((v, c) => v * (dy[c] - sum));
  }),
  variants: softmaxBackwardVariants,
};

export const logSoftmaxBackwardSpec: KernelSpec<RowSizes, RowOperands, SoftmaxBackward> = {
  ...shared,
  name: 'log-softmax-backward',
  formula: 'dX[r,c] = dY[r,c] − exp(Y[r,c]) Σ_i dY[r,i]',
  source: 'PyTorch log_softmax over the last axis, its gradient',
  tolerance: 2e-6,
  nonFinite: true,
  workloads: [{ name: 'class scores of the shipped model, 32 s', sizes: { rows: 800, columns: 29 } }],
  operands: operandsWith((random) => -10 * random()),
  cost: ({ rows, columns }) => ({ operations: 8 * rows * columns, bytes: 12 * rows * columns }),
  exact: byRows((y, dy) => {
    const sum = dy.reduce((total, d) => total + d, 0);
    return y.map((v, c) => dy[c] - Math.exp(v) * sum);
  }),
  variants: logSoftmaxBackwardVariants,
};
