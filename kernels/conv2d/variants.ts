/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type Conv2dKernel, conv2dReference } from './reference.js';
import { conv2dSimd } from './simd.js';

export const conv2dVariants: readonly KernelVariant<Conv2dKernel>[] = [
  referenceVariant('conv2d', conv2dReference, 'direct, four output channels to a load, float64 sums'),
  ...simdVariants(conv2dSimd),
];
