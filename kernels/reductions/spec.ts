import type { KernelSpec, OperandSpecs, Operands } from '../spec.js';
import type { Reduction } from './reference.js';
import { sumOfSquaresVariants, sumVariants } from './variants.js';

export interface ElementSizes {
  readonly n: number;
}

const operands = ({ n }: ElementSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows: 1, columns: n, fill: (random) => 2 * random() - 0.5 },
    total: { role: 'output', type: 'float64', rows: 1, columns: 1 },
  }) as const satisfies OperandSpecs;

type ReductionOperands = Operands<ReturnType<typeof operands>>;

const shared = {
  shapes: 'X [n], S one float64',
  tolerance: 1e-13,
  nonFinite: true,
  // Around vectors of 4, rounds of 2 of them, and parts of 8,192 numbers
  sizes: [0, 1, 2, 3, 4, 5, 7, 8, 9, 100, 8191, 8192, 16387].map((n) => ({ n })),
  example: { n: 9 },
  operands,
  bind:
    (kernel: Reduction, { n }: ElementSizes, { x, total }: ReductionOperands) =>
    () => {
      total.data[total.offset] = kernel(n, x.data, x.offset);
    },
};

/** Σ f(x), the largest last: small numbers first add up to what counts. */
const summed =
  (f: (x: number) => number) =>
  ({ n }: ElementSizes, { x }: ReductionOperands) => {
    const values = Array.from(x.data.subarray(x.offset, x.offset + n), f);
    values.sort((a, b) => Math.abs(a) - Math.abs(b));
    return { total: [values.reduce((sum, v) => sum + v, 0)] };
  };

type ReductionSpec = KernelSpec<ElementSizes, ReturnType<typeof operands>, Reduction>;

export const sumSpec: ReductionSpec = {
  ...shared,
  name: 'sum',
  formula: 'S = Σ_i X[i]',
  source: 'losses of a batch',
  workloads: [{ name: 'a tensor between layers of the shipped model, 32 s', sizes: { n: 800 * 96 } }],
  cost: ({ n }) => ({ operations: n, bytes: 4 * n }),
  exact: summed((x) => x),
  variants: sumVariants,
};

export const sumOfSquaresSpec: ReductionSpec = {
  ...shared,
  name: 'sum-of-squares',
  formula: 'S = Σ_i X[i]²',
  source: 'norm of a gradient, by which it is clipped (Pascanu et al. 2013)',
  workloads: [{ name: 'gradients of a million parameters', sizes: { n: 1_000_000 } }],
  cost: ({ n }) => ({ operations: 2 * n, bytes: 4 * n }),
  exact: summed((x) => x * x),
  variants: sumOfSquaresVariants,
};
