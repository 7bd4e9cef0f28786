/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type AdamW, adamwReference, type MovingAverage, movingAverageReference } from './reference.js';
import { adamwSimd, movingAverageSimd } from './simd.js';

export const adamwVariants: readonly KernelVariant<AdamW>[] = [
  referenceVariant('adamw', adamwReference, 'a parameter at a time, in float64 between float32 numbers'),
  ...simdVariants(adamwSimd),
];

export const movingAverageVariants: readonly KernelVariant<MovingAverage>[] = [
  referenceVariant('moving-average', movingAverageReference, 'a number at a time'),
  ...simdVariants(movingAverageSimd),
];
