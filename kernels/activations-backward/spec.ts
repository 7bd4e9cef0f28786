import type { KernelSpec, OperandSpecs, Operands } from '../spec.js';
import type { ActivationBackward, GluBackward, LeakyReluBackward } from './reference.js';
import {
  gluBackwardVariants,
  leakyReluBackwardVariants,
  reluBackwardVariants,
  swishBackwardVariants,
} from './variants.js';

const LEAKY_SLOPE = 0.01;

export interface ElementSizes {
  readonly n: number;
}

const wide = (random: () => number) => 12 * random() - 6;

const operands = ({ n }: ElementSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows: 1, columns: n, fill: wide },
    dy: { role: 'input', type: 'float32', rows: 1, columns: n },
    dx: { role: 'output', type: 'float32', rows: 1, columns: n },
  }) as const satisfies OperandSpecs;

const elementwise = {
  shapes: 'X [n], dY [n], dX [n]',
  // Around vectors of 4, walks of 4 of them, and parts of 8,192 numbers
  sizes: [1, 2, 3, 4, 5, 8, 15, 16, 17, 100, 8191, 8192, 16387].map((n) => ({ n })),
  workloads: [{ name: 'shipped model, feed-forward, 32 s', sizes: { n: 800 * 256 } }],
  operands,
  inPlace: [['dx', 'dy'] as const],
};

type ElementOperands = Operands<ReturnType<typeof operands>>;

const bindActivation =
  (kernel: ActivationBackward, { n }: ElementSizes, { x, dy, dx }: ElementOperands) =>
  () =>
    kernel(n, x.data, x.offset, dy.data, dy.offset, dx.data, dx.offset);

/** dx = slope(x) dy element by element in float64. */
const mapped =
  (slope: (x: number) => number) =>
  ({ n }: ElementSizes, { x, dy }: ElementOperands) => ({
    dx: Array.from({ length: n }, (_, i) => slope(x.data[x.offset + i]) * dy.data[dy.offset + i]),
  });

type ActivationSpec<F> = KernelSpec<ElementSizes, ReturnType<typeof operands>, F>;

export const swishBackwardSpec: ActivationSpec<ActivationBackward> = {
  ...elementwise,
  name: 'swish-backward',
  formula: 'dX[i] = dY[i] s (1 + X[i] (1 − s)), s = 1 / (1 + exp(−X[i]))',
  source: 'Ramachandran et al. 2017; PyTorch SiLU, its gradient',
  tolerance: 1e-6,
  nonFinite: true,
  cost: ({ n }) => ({ operations: 8 * n, bytes: 12 * n }),
  bind: bindActivation,
  exact: mapped((x) => {
    const s = 1 / (1 + Math.exp(-x));
    return s * (1 + x * (1 - s));
  }),
  variants: swishBackwardVariants,
};

export const reluBackwardSpec: ActivationSpec<ActivationBackward> = {
  ...elementwise,
  name: 'relu-backward',
  formula: 'dX[i] = 0 where X[i] ≤ 0, dY[i] elsewhere',
  source: 'PyTorch ReLU, its gradient',
  tolerance: 1e-7,
  nonFinite: true,
  cost: ({ n }) => ({ operations: n, bytes: 12 * n }),
  bind: bindActivation,
  exact: mapped((x) => (x <= 0 ? 0 : 1)),
  variants: reluBackwardVariants,
};

export const leakyReluBackwardSpec: ActivationSpec<LeakyReluBackward> = {
  ...elementwise,
  name: 'leaky-relu-backward',
  formula: 'dX[i] = slope · dY[i] where X[i] ≤ 0, dY[i] elsewhere',
  source: 'Maas et al. 2013; PyTorch LeakyReLU, its gradient',
  tolerance: 1e-7,
  nonFinite: true,
  cost: ({ n }) => ({ operations: 2 * n, bytes: 12 * n }),
  bind:
    (kernel, { n }, { x, dy, dx }) =>
    () =>
      kernel(n, LEAKY_SLOPE, x.data, x.offset, dy.data, dy.offset, dx.data, dx.offset),
  exact: mapped((x) => (x <= 0 ? LEAKY_SLOPE : 1)),
  variants: leakyReluBackwardVariants,
};

export interface GluSizes {
  readonly rows: number;
  readonly columns: number;
}

const gluOperands = ({ rows, columns }: GluSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows, columns: 2 * columns, fill: wide },
    dy: { role: 'input', type: 'float32', rows, columns },
    dx: { role: 'output', type: 'float32', rows, columns: 2 * columns },
  }) as const satisfies OperandSpecs;

export const gluBackwardSpec: KernelSpec<GluSizes, ReturnType<typeof gluOperands>, GluBackward> = {
  name: 'glu-backward',
  formula: 'dX[r,c] = dY[r,c] s, dX[r,n+c] = dY[r,c] X[r,c] s (1 − s), s = 1 / (1 + exp(−X[r,n+c]))',
  shapes: 'X [rows, 2n], dY [rows, n], dX [rows, 2n]',
  source: 'Dauphin et al. 2017; PyTorch GLU over the last axis, its gradient',
  tolerance: 1e-6,
  nonFinite: true,
  sizes: [1, 2, 3, 4, 5, 8, 17].map((columns) => ({ rows: 3, columns })),
  workloads: [{ name: 'shipped model, 32 s', sizes: { rows: 800, columns: 96 } }],
  cost: ({ rows, columns }) => ({ operations: 8 * rows * columns, bytes: 20 * rows * columns }),
  operands: gluOperands,
  bind:
    (kernel, { rows, columns }, { x, dy, dx }) =>
    () =>
      kernel(
        rows,
        columns,
        x.data,
        x.offset,
        x.rowStride,
        dy.data,
        dy.offset,
        dy.rowStride,
        dx.data,
        dx.offset,
        dx.rowStride,
      ),
  exact({ rows, columns }, { x, dy }) {
    const dx: number[] = [];
    for (let r = 0; r < rows; r++) {
      const given = Array.from({ length: columns }, (_, c) => dy.data[dy.offset + r * dy.rowStride + c]);
      const at = (c: number) => x.data[x.offset + r * x.rowStride + c];
      const gates = given.map((_, c) => 1 / (1 + Math.exp(-at(columns + c))));
      dx.push(...given.map((d, c) => d * gates[c]));
      dx.push(...given.map((d, c) => d * at(c) * gates[c] * (1 - gates[c])));
    }
    return { dx };
  },
  variants: gluBackwardVariants,
};
