/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type BatchNormBackward, batchNormBackwardReference } from './reference.js';
import { batchNormBackwardSimd } from './simd.js';

export const batchNormBackwardVariants: readonly KernelVariant<BatchNormBackward>[] = [
  referenceVariant('batch-norm-backward', batchNormBackwardReference, 'a channel at a time, float64 sums'),
  ...simdVariants(batchNormBackwardSimd),
];
