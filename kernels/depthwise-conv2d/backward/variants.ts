/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../../spec.js';
import { simdVariants } from '../../wasm/runtime.js';
import { type DepthwiseConv2dBackward, depthwiseConv2dBackwardReference } from './reference.js';
import { depthwiseConv2dBackwardSimd } from './simd.js';

export const depthwiseConv2dBackwardVariants: readonly KernelVariant<DepthwiseConv2dBackward>[] = [
  referenceVariant(
    'depthwise-conv2d-backward',
    depthwiseConv2dBackwardReference,
    'a tap and a pixel at a time, float64 sums',
  ),
  ...simdVariants(depthwiseConv2dBackwardSimd),
];
