import type { KernelSpec, OperandSpecs, Operands } from '../spec.js';
import { gluGpu, leakyReluGpu, reluGpu, scaledAddGpu, swishGpu } from './gpu.js';
import type { Activation, Glu, LeakyRelu, ScaledAdd } from './reference.js';
import {
  gluVariants,
  leakyReluVariants,
  reluVariants,
  scaledAddVariants,
  swishVariants,
} from './variants.js';

const LEAKY_SLOPE = 0.01;
const RESIDUAL_SCALE = 0.5;

export interface ElementSizes {
  readonly n: number;
}

const row = (role: 'input' | 'output', n: number) =>
  ({
    role,
    type: 'float32',
    rows: 1,
    columns: n,
    fill: (random: () => number) => 12 * random() - 6,
  }) as const;

const operands = ({ n }: ElementSizes) =>
  ({ x: row('input', n), y: row('output', n) }) as const satisfies OperandSpecs;

const elementwise = {
  shapes: 'X [n], Y [n]',
  // Around vectors of 4, walks of 4 of them, and parts of 8,192 numbers
  sizes: [1, 2, 3, 4, 5, 8, 15, 16, 17, 100, 8191, 8192, 16387].map((n) => ({ n })),
  workloads: [
    { name: 'shipped model, feed-forward, 10 s', sizes: { n: 250 * 256 } },
    { name: 'conformer large, feed-forward, 10 s', sizes: { n: 250 * 2048 } },
  ],
  operands,
  inPlace: [['y', 'x'] as const],
};

const bindActivation =
  (kernel: Activation, { n }: ElementSizes, { x, y }: Operands<ReturnType<typeof operands>>) =>
  () =>
    kernel(n, x.data, x.offset, y.data, y.offset);

/** y = f(x) element by element in float64. */
const mapped =
  (f: (x: number) => number) =>
  ({ n }: ElementSizes, { x }: Operands<ReturnType<typeof operands>>) => ({
    y: Array.from(x.data.subarray(x.offset, x.offset + n), f),
  });

export const swishSpec: KernelSpec<ElementSizes, ReturnType<typeof operands>, Activation> = {
  ...elementwise,
  name: 'swish',
  formula: 'Y[i] = X[i] / (1 + exp(−X[i]))',
  source: 'Ramachandran et al. 2017; PyTorch SiLU',
  tolerance: 1e-6,
  nonFinite: true,
  cost: ({ n }) => ({ operations: 4 * n, bytes: 8 * n }),
  bind: bindActivation,
  exact: mapped((x) => x / (1 + Math.exp(-x))),
  variants: swishVariants,
  gpu: swishGpu,
};

export const reluSpec: KernelSpec<ElementSizes, ReturnType<typeof operands>, Activation> = {
  ...elementwise,
  name: 'relu',
  formula: 'Y[i] = max(X[i], 0)',
  source: 'PyTorch ReLU',
  tolerance: 1e-7,
  nonFinite: true,
  cost: ({ n }) => ({ operations: n, bytes: 8 * n }),
  bind: bindActivation,
  exact: mapped((x) => Math.max(x, 0)),
  variants: reluVariants,
  gpu: reluGpu,
};

export const leakyReluSpec: KernelSpec<ElementSizes, ReturnType<typeof operands>, LeakyRelu> = {
  ...elementwise,
  name: 'leaky-relu',
  formula: 'Y[i] = X[i] where X[i] ≥ 0, slope · X[i] elsewhere',
  source: 'Maas et al. 2013; PyTorch LeakyReLU',
  tolerance: 1e-7,
  nonFinite: true,
  cost: ({ n }) => ({ operations: 2 * n, bytes: 8 * n }),
  bind:
    (kernel, { n }, { x, y }) =>
    () =>
      kernel(n, LEAKY_SLOPE, x.data, x.offset, y.data, y.offset),
  exact: mapped((x) => (x >= 0 ? x : LEAKY_SLOPE * x)),
  variants: leakyReluVariants,
  gpu: leakyReluGpu,
};

const addOperands = ({ n }: ElementSizes) =>
  ({ x: row('input', n), z: row('input', n), y: row('output', n) }) as const satisfies OperandSpecs;

export const scaledAddSpec: KernelSpec<ElementSizes, ReturnType<typeof addOperands>, ScaledAdd> = {
  ...elementwise,
  name: 'scaled-add',
  formula: 'Y[i] = X[i] + s Z[i]',
  shapes: 'X [n], Z [n], Y [n]',
  source: 'residual connection; half-step residuals of Conformer (Gulati et al. 2020)',
  tolerance: 1e-6,
  nonFinite: true,
  operands: addOperands,
  inPlace: [
    ['y', 'x'],
    ['y', 'z'],
  ],
  cost: ({ n }) => ({ operations: 2 * n, bytes: 12 * n }),
  bind:
    (kernel, { n }, { x, z, y }) =>
    () =>
      kernel(n, x.data, x.offset, RESIDUAL_SCALE, z.data, z.offset, y.data, y.offset),
  exact: ({ n }, { x, z }) => ({
    y: Array.from({ length: n }, (_, i) => x.data[x.offset + i] + RESIDUAL_SCALE * z.data[z.offset + i]),
  }),
  variants: scaledAddVariants,
  gpu: scaledAddGpu,
};

export interface GluSizes {
  readonly rows: number;
  readonly columns: number;
}

const gluOperands = ({ rows, columns }: GluSizes) =>
  ({
    x: { ...row('input', 2 * columns), rows },
    y: { ...row('output', columns), rows },
  }) as const satisfies OperandSpecs;

export const gluSpec: KernelSpec<GluSizes, ReturnType<typeof gluOperands>, Glu> = {
  name: 'glu',
  formula: 'Y[r,c] = X[r,c] / (1 + exp(−X[r,n+c]))',
  shapes: 'X [rows, 2n], Y [rows, n]',
  source: 'Dauphin et al. 2017; PyTorch GLU over the last axis',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [1, 2, 3, 4, 5, 8, 17].map((columns) => ({ rows: 3, columns })),
  workloads: [
    { name: 'shipped model, 10 s', sizes: { rows: 250, columns: 96 } },
    { name: 'conformer large, 10 s', sizes: { rows: 250, columns: 512 } },
  ],
  cost: ({ rows, columns }) => ({ operations: 4 * rows * columns, bytes: 12 * rows * columns }),
  operands: gluOperands,
  bind:
    (kernel, { rows, columns }, { x, y }) =>
    () =>
      kernel(rows, columns, x.data, x.offset, x.rowStride, y.data, y.offset, y.rowStride),
  exact({ rows, columns }, { x }) {
    const y: number[] = [];
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const at = x.offset + r * x.rowStride + c;
        y.push(x.data[at] / (1 + Math.exp(-x.data[at + columns])));
      }
    }
    return { y };
  },
  variants: gluVariants,
  gpu: gluGpu,
};
