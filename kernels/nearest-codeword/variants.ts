/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type NearestCodewordKernel, nearestCodewordReference } from './reference.js';
import { nearestCodewordSimd } from './simd.js';

export const nearestCodewordVariants: readonly KernelVariant<NearestCodewordKernel>[] = [
  referenceVariant(
    'nearest-codeword',
    nearestCodewordReference,
    'brute force with partial distances, float64 sums',
  ),
  ...simdVariants(nearestCodewordSimd),
];
