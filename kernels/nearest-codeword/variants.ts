/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type NearestCodeword, nearestCodewordReference } from './reference.js';

export const nearestCodewordVariants: readonly KernelVariant<NearestCodeword>[] = [
  referenceVariant(nearestCodewordReference, 'brute force with partial distances, float64 sums'),
];
