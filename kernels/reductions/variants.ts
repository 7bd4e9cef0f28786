/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type Reduction, sumOfSquaresReference, sumReference } from './reference.js';
import { sumOfSquaresSimd, sumSimd } from './simd.js';

export const sumVariants: readonly KernelVariant<Reduction>[] = [
  referenceVariant('sum', sumReference, 'a number at a time, float64'),
  ...simdVariants(sumSimd),
];

export const sumOfSquaresVariants: readonly KernelVariant<Reduction>[] = [
  referenceVariant('sum-of-squares', sumOfSquaresReference, 'a number at a time, float64'),
  ...simdVariants(sumOfSquaresSimd),
];
