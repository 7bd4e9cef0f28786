/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import {
  type Activation,
  type Glu,
  gluReference,
  type LeakyRelu,
  leakyReluReference,
  reluReference,
  type ScaledAdd,
  scaledAddReference,
  swishReference,
} from './reference.js';
import { gluSimd, leakyReluSimd, reluSimd, scaledAddSimd, swishSimd } from './simd.js';

export const swishVariants: readonly KernelVariant<Activation>[] = [
  referenceVariant('swish', swishReference, 'one exponential per element'),
  ...simdVariants(swishSimd),
];

export const reluVariants: readonly KernelVariant<Activation>[] = [
  referenceVariant('relu', reluReference, 'one comparison per element'),
  ...simdVariants(reluSimd),
];

export const leakyReluVariants: readonly KernelVariant<LeakyRelu>[] = [
  referenceVariant('leaky-relu', leakyReluReference, 'one comparison per element'),
  ...simdVariants(leakyReluSimd),
];

export const gluVariants: readonly KernelVariant<Glu>[] = [
  referenceVariant('glu', gluReference, 'one exponential per output'),
  ...simdVariants(gluSimd),
];

export const scaledAddVariants: readonly KernelVariant<ScaledAdd>[] = [
  referenceVariant('scaled-add', scaledAddReference, 'one multiply-add per element'),
  ...simdVariants(scaledAddSimd),
];
