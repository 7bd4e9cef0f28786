/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { logSoftmaxReference, type Softmax, softmaxReference } from './reference.js';
import { logSoftmaxSimd, softmaxSimd } from './simd.js';

export const softmaxVariants: readonly KernelVariant<Softmax>[] = [
  referenceVariant('softmax', softmaxReference, 'three passes over a row, float64 sum'),
  ...simdVariants(softmaxSimd),
];

export const logSoftmaxVariants: readonly KernelVariant<Softmax>[] = [
  referenceVariant('log-softmax', logSoftmaxReference, 'three passes over a row, float64 sum'),
  ...simdVariants(logSoftmaxSimd),
];
