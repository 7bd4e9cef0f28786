/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../../spec.js';
import { simdVariants } from '../../wasm/runtime.js';
import { type Conv2dBackward, conv2dBackwardReference } from './reference.js';
import { conv2dBackwardSimd } from './simd.js';

export const conv2dBackwardVariants: readonly KernelVariant<Conv2dBackward>[] = [
  referenceVariant('conv2d-backward', conv2dBackwardReference, 'a tap at a time, float64 sums'),
  ...simdVariants(conv2dBackwardSimd),
];
