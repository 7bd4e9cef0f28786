/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../../spec.js';
import { simdVariants } from '../../wasm/runtime.js';
import { type RelativeAttentionBackward, relativeAttentionBackwardReference } from './reference.js';
import { relativeAttentionBackwardSimd } from './simd.js';

export const relativeAttentionBackwardVariants: readonly KernelVariant<RelativeAttentionBackward>[] = [
  referenceVariant(
    'relative-attention-backward',
    relativeAttentionBackwardReference,
    'a query at a time, float64 sums',
  ),
  ...simdVariants(relativeAttentionBackwardSimd),
];
