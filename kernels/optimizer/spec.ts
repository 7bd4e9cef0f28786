import type { KernelSpec, Operand, OperandSpecs } from '../spec.js';
import type { AdamW, AdamWStep, MovingAverage } from './reference.js';
import { adamwVariants, movingAverageVariants } from './variants.js';

export interface ElementSizes {
  readonly n: number;
}

/** The tenth step. */
const STEP: AdamWStep = {
  rate: 0.01,
  beta1: 0.9,
  beta2: 0.98,
  epsilon: 1e-8,
  decay: 0.1,
  unbias1: 1 / (1 - 0.9 ** 10),
  unbias2: 1 / (1 - 0.98 ** 10),
  gradientFactor: 0.5,
};
const SHARE = 0.01;

const row = (role: 'input' | 'output', n: number) =>
  ({ role, type: 'float32', rows: 1, columns: n }) as const;

/** What is changed in place begins as a copy of an input. */
const copy = (n: number, from: Operand<Float32Array>, to: Operand<Float32Array>): void =>
  to.data.set(from.data.subarray(from.offset, from.offset + n), to.offset);

const elementwise = {
  // Around vectors of 4, walks of 4 of them, and parts of 8,192 numbers
  sizes: [1, 2, 3, 4, 5, 8, 15, 16, 17, 8191, 8192, 16387].map((n) => ({ n })),
  example: { n: 5 },
  workloads: [{ name: 'a million parameters', sizes: { n: 1_000_000 } }],
};

const adamwOperands = ({ n }: ElementSizes) =>
  ({
    parameters: row('input', n),
    mean: row('input', n),
    square: { ...row('input', n), fill: (random) => 0.1 + random() },
    gradient: row('input', n),
    w: row('output', n),
    m: row('output', n),
    v: row('output', n),
  }) as const satisfies OperandSpecs;

export const adamwSpec: KernelSpec<ElementSizes, ReturnType<typeof adamwOperands>, AdamW> = {
  ...elementwise,
  name: 'adamw',
  formula: 'm += (1−β₁)(g − m); v += (1−β₂)(g² − v); w = w (1 − αλ) − α m / (1−β₁ᵗ) / (√(v / (1−β₂ᵗ)) + ε)',
  shapes: 'all [n]; w, m and v begin as parameters, mean and square',
  source: 'Kingma and Ba 2015; Loshchilov and Hutter 2019, algorithm 2; PyTorch AdamW',
  tolerance: 1e-6,
  nonFinite: true,
  operands: adamwOperands,
  cost: ({ n }) => ({ operations: 15 * n, bytes: 28 * n }),
  bind:
    (kernel, { n }, { parameters, mean, square, gradient, w, m, v }) =>
    () => {
      copy(n, parameters, w);
      copy(n, mean, m);
      copy(n, square, v);
      kernel(n, STEP, w.data, w.offset, m.data, m.offset, v.data, v.offset, gradient.data, gradient.offset);
    },
  exact({ n }, { parameters, mean, square, gradient }) {
    const [w, m, v]: [number[], number[], number[]] = [[], [], []];
    for (let i = 0; i < n; i++) {
      const g = gradient.data[gradient.offset + i] * STEP.gradientFactor;
      m.push(STEP.beta1 * mean.data[mean.offset + i] + (1 - STEP.beta1) * g);
      v.push(STEP.beta2 * square.data[square.offset + i] + (1 - STEP.beta2) * g ** 2);
      const [first, second] = [m[i] * STEP.unbias1, v[i] * STEP.unbias2];
      const before = parameters.data[parameters.offset + i];
      w.push(
        before * (1 - STEP.rate * STEP.decay) - (STEP.rate * first) / (Math.sqrt(second) + STEP.epsilon),
      );
    }
    return { w, m, v };
  },
  variants: adamwVariants,
};

const averageOperands = ({ n }: ElementSizes) =>
  ({ x: row('input', n), average: row('input', n), y: row('output', n) }) as const satisfies OperandSpecs;

export const movingAverageSpec: KernelSpec<
  ElementSizes,
  ReturnType<typeof averageOperands>,
  MovingAverage
> = {
  ...elementwise,
  name: 'moving-average',
  formula: 'Y[i] += a (X[i] − Y[i])',
  shapes: 'X [n], Y [n], which begins as average',
  source: 'Polyak and Juditsky 1992',
  tolerance: 1e-6,
  nonFinite: true,
  operands: averageOperands,
  cost: ({ n }) => ({ operations: 3 * n, bytes: 12 * n }),
  bind:
    (kernel, { n }, { x, average, y }) =>
    () => {
      copy(n, average, y);
      kernel(n, SHARE, x.data, x.offset, y.data, y.offset);
    },
  exact: ({ n }, { x, average }) => ({
    y: Array.from({ length: n }, (_, i) => {
      const before = average.data[average.offset + i];
      return (1 - SHARE) * before + SHARE * x.data[x.offset + i];
    }),
  }),
  variants: movingAverageVariants,
};
