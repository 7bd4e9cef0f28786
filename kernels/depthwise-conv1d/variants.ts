/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type DepthwiseConv1dKernel, depthwiseConv1dReference } from './reference.js';
import { depthwiseConv1dSimd } from './simd.js';

export const depthwiseConv1dVariants: readonly KernelVariant<DepthwiseConv1dKernel>[] = [
  referenceVariant(
    'depthwise-conv1d',
    depthwiseConv1dReference,
    'four frames of a channel in a sliding window, float64 sums',
  ),
  ...simdVariants(depthwiseConv1dSimd),
];
