import type { KernelSpec, OperandSpecs } from '../spec.js';
import type { Multiply, Scale } from './reference.js';
import { multiplyVariants, scaleVariants } from './variants.js';

const FACTOR = 0.3;

export interface ElementSizes {
  readonly n: number;
}

const row = (role: 'input' | 'output', n: number) =>
  ({ role, type: 'float32', rows: 1, columns: n }) as const;

const elementwise = {
  // Around vectors of 4, walks of 4 of them, and parts of 8,192 numbers
  sizes: [1, 2, 3, 4, 5, 8, 15, 16, 17, 8191, 8192, 16387].map((n) => ({ n })),
  workloads: [{ name: 'shipped model, a tensor between layers, 32 s', sizes: { n: 800 * 96 } }],
};

const scaleOperands = ({ n }: ElementSizes) =>
  ({ x: row('input', n), y: row('output', n) }) as const satisfies OperandSpecs;

export const scaleSpec: KernelSpec<ElementSizes, ReturnType<typeof scaleOperands>, Scale> = {
  ...elementwise,
  name: 'scale',
  formula: 'Y[i] = s X[i]',
  shapes: 'X [n], Y [n]',
  source: 'gradient of a residual connection that counts half',
  tolerance: 1e-6,
  nonFinite: true,
  operands: scaleOperands,
  inPlace: [['y', 'x']],
  cost: ({ n }) => ({ operations: n, bytes: 8 * n }),
  bind:
    (kernel, { n }, { x, y }) =>
    () =>
      kernel(n, FACTOR, x.data, x.offset, y.data, y.offset),
  exact: ({ n }, { x }) => ({ y: Array.from({ length: n }, (_, i) => FACTOR * x.data[x.offset + i]) }),
  variants: scaleVariants,
};

const multiplyOperands = ({ n }: ElementSizes) =>
  ({ x: row('input', n), z: row('input', n), y: row('output', n) }) as const satisfies OperandSpecs;

export const multiplySpec: KernelSpec<ElementSizes, ReturnType<typeof multiplyOperands>, Multiply> = {
  ...elementwise,
  name: 'multiply',
  formula: 'Y[i] = X[i] Z[i]',
  shapes: 'X [n], Z [n], Y [n]',
  source: 'masks; SpecAugment (Park et al. 2019)',
  tolerance: 1e-6,
  nonFinite: true,
  operands: multiplyOperands,
  inPlace: [
    ['y', 'x'],
    ['y', 'z'],
  ],
  cost: ({ n }) => ({ operations: n, bytes: 12 * n }),
  bind:
    (kernel, { n }, { x, z, y }) =>
    () =>
      kernel(n, x.data, x.offset, z.data, z.offset, y.data, y.offset),
  exact: ({ n }, { x, z }) => ({
    y: Array.from({ length: n }, (_, i) => x.data[x.offset + i] * z.data[z.offset + i]),
  }),
  variants: multiplyVariants,
};
