import type { KernelSpec, OperandSpecs } from '../spec.js';
import type { Dropout } from './reference.js';
import { dropoutVariants } from './variants.js';

export interface DropoutSizes {
  readonly n: number;
  readonly rate: number;
}

const SEED = 0x9e3779b9;

const operands = ({ n }: DropoutSizes) =>
  ({
    x: { role: 'input', type: 'float32', rows: 1, columns: n },
    y: { role: 'output', type: 'float32', rows: 1, columns: n },
  }) as const satisfies OperandSpecs;

/** The mixer in integers of any length. */
function mixed(value: bigint): bigint {
  const bits = 0xffffffffn;
  let h = value & bits;
  h = ((h ^ (h >> 16n)) * 0x21f0aaadn) & bits;
  h = ((h ^ (h >> 15n)) * 0xd35a2d97n) & bits;
  return h ^ (h >> 15n);
}

export const dropoutSpec: KernelSpec<DropoutSizes, ReturnType<typeof operands>, Dropout> = {
  name: 'dropout',
  formula: 'Y[i] = X[i] / (1 − rate) where ⌊mix(i ⊕ mix(seed)) / 2⁸⌋ ≥ rate · 2²⁴, 0 elsewhere',
  shapes: 'X [n], Y [n]; mix is lowbias32 on 32-bit integers',
  source: 'Srivastava et al. 2014; C. Wellons, hash prospector',
  tolerance: 1e-6,
  nonFinite: true,
  // Around vectors of 4 and parts of 8,192 numbers
  sizes: [
    ...[1, 2, 3, 4, 5, 8, 17, 100, 8191, 8192, 16387].map((n) => ({ n, rate: 0.1 })),
    { n: 100, rate: 0 },
    { n: 100, rate: 0.9 },
  ],
  example: { n: 16, rate: 0.5 },
  workloads: [{ name: 'shipped model, a tensor between layers, 32 s', sizes: { n: 800 * 96, rate: 0.1 } }],
  operands,
  inPlace: [['y', 'x']],
  cost: ({ n }) => ({ operations: 12 * n, bytes: 8 * n }),
  bind:
    (kernel, { n, rate }, { x, y }) =>
    () =>
      kernel(n, rate, SEED, x.data, x.offset, y.data, y.offset),
  exact({ n, rate }, { x }) {
    const key = mixed(BigInt(SEED));
    const y = Array.from({ length: n }, (_, i) => {
      const drawn = Number(mixed(BigInt(i) ^ key) >> 8n);
      return drawn >= Math.round(rate * 2 ** 24) ? x.data[x.offset + i] / (1 - rate) : 0;
    });
    return { y };
  },
  variants: dropoutVariants,
};
