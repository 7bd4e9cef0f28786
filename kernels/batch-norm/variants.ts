/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type BatchNorm, batchNormReference } from './reference.js';
import { batchNormSimd } from './simd.js';

export const batchNormVariants: readonly KernelVariant<BatchNorm>[] = [
  referenceVariant(
    'batch-norm',
    batchNormReference,
    'scale and shift of a channel made once, then one multiply-add each',
  ),
  ...simdVariants(batchNormSimd),
];
