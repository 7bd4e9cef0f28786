/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { logSoftmaxReference, type Softmax, softmaxReference } from './reference.js';

export const softmaxVariants: readonly KernelVariant<Softmax>[] = [
  referenceVariant('softmax', softmaxReference, 'three passes over a row, float64 sum'),
];

export const logSoftmaxVariants: readonly KernelVariant<Softmax>[] = [
  referenceVariant('log-softmax', logSoftmaxReference, 'three passes over a row, float64 sum'),
];
