/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type RelativeAttention, relativeAttentionReference } from './reference.js';
import { relativeAttentionSimd } from './simd.js';

export const relativeAttentionVariants: readonly KernelVariant<RelativeAttention>[] = [
  referenceVariant(
    'relative-attention',
    relativeAttentionReference,
    'a query row at a time, shift by index, float64 sums',
  ),
  ...simdVariants(relativeAttentionSimd),
];
