/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
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

export const swishVariants: readonly KernelVariant<Activation>[] = [
  referenceVariant('swish', swishReference, 'one exponential per element'),
];

export const reluVariants: readonly KernelVariant<Activation>[] = [
  referenceVariant('relu', reluReference, 'one comparison per element'),
];

export const leakyReluVariants: readonly KernelVariant<LeakyRelu>[] = [
  referenceVariant('leaky-relu', leakyReluReference, 'one comparison per element'),
];

export const gluVariants: readonly KernelVariant<Glu>[] = [
  referenceVariant('glu', gluReference, 'one exponential per output'),
];

export const scaledAddVariants: readonly KernelVariant<ScaledAdd>[] = [
  referenceVariant('scaled-add', scaledAddReference, 'one multiply-add per element'),
];
