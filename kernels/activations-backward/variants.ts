/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import {
  type ActivationBackward,
  type GluBackward,
  gluBackwardReference,
  type LeakyReluBackward,
  leakyReluBackwardReference,
  reluBackwardReference,
  swishBackwardReference,
} from './reference.js';
import { gluBackwardSimd, leakyReluBackwardSimd, reluBackwardSimd, swishBackwardSimd } from './simd.js';

export const swishBackwardVariants: readonly KernelVariant<ActivationBackward>[] = [
  referenceVariant('swish-backward', swishBackwardReference, 'one exponential per element'),
  ...simdVariants(swishBackwardSimd),
];

export const reluBackwardVariants: readonly KernelVariant<ActivationBackward>[] = [
  referenceVariant('relu-backward', reluBackwardReference, 'one comparison per element'),
  ...simdVariants(reluBackwardSimd),
];

export const leakyReluBackwardVariants: readonly KernelVariant<LeakyReluBackward>[] = [
  referenceVariant('leaky-relu-backward', leakyReluBackwardReference, 'one comparison per element'),
  ...simdVariants(leakyReluBackwardSimd),
];

export const gluBackwardVariants: readonly KernelVariant<GluBackward>[] = [
  referenceVariant('glu-backward', gluBackwardReference, 'one exponential per output'),
  ...simdVariants(gluBackwardSimd),
];
