/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../../spec.js';
import { simdVariants } from '../../wasm/runtime.js';
import { type Conv2dScatter, conv2dScatterReference } from './reference.js';
import { conv2dScatterSimd } from './simd.js';

export const conv2dScatterVariants: readonly KernelVariant<Conv2dScatter>[] = [
  referenceVariant('conv2d-scatter', conv2dScatterReference, 'a number at a time, float64 sums'),
  ...simdVariants(conv2dScatterSimd),
];
