/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type Multiply, multiplyReference, type Scale, scaleReference } from './reference.js';
import { multiplySimd, scaleSimd } from './simd.js';

export const scaleVariants: readonly KernelVariant<Scale>[] = [
  referenceVariant('scale', scaleReference, 'a number at a time'),
  ...simdVariants(scaleSimd),
];

export const multiplyVariants: readonly KernelVariant<Multiply>[] = [
  referenceVariant('multiply', multiplyReference, 'a number at a time'),
  ...simdVariants(multiplySimd),
];
