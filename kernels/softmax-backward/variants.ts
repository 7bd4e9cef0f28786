/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { logSoftmaxBackwardReference, type SoftmaxBackward, softmaxBackwardReference } from './reference.js';
import { logSoftmaxBackwardSimd, softmaxBackwardSimd } from './simd.js';

export const softmaxBackwardVariants: readonly KernelVariant<SoftmaxBackward>[] = [
  referenceVariant('softmax-backward', softmaxBackwardReference, 'two passes over a row, float64 sum'),
  ...simdVariants(softmaxBackwardSimd),
];

export const logSoftmaxBackwardVariants: readonly KernelVariant<SoftmaxBackward>[] = [
  referenceVariant('log-softmax-backward', logSoftmaxBackwardReference, 'two passes over a row, float64 sum'),
  ...simdVariants(logSoftmaxBackwardSimd),
];
