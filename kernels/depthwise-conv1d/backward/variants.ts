/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../../spec.js';
import { simdVariants } from '../../wasm/runtime.js';
import { type DepthwiseConv1dBackward, depthwiseConv1dBackwardReference } from './reference.js';
import { depthwiseConv1dBackwardSimd } from './simd.js';

export const depthwiseConv1dBackwardVariants: readonly KernelVariant<DepthwiseConv1dBackward>[] = [
  referenceVariant(
    'depthwise-conv1d-backward',
    depthwiseConv1dBackwardReference,
    'a tap at a time, float64 sums',
  ),
  ...simdVariants(depthwiseConv1dBackwardSimd),
];
