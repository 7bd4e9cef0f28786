/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type NearestCodewordKernel, nearestCodewordReference } from './reference.js';

export const nearestCodewordVariants: readonly KernelVariant<NearestCodewordKernel>[] = [
  referenceVariant(
    'nearest-codeword',
    nearestCodewordReference,
    'brute force with partial distances, float64 sums',
  ),
];
