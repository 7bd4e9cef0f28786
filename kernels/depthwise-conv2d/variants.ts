/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type DepthwiseConv2dKernel, depthwiseConv2dReference } from './reference.js';
import { depthwiseConv2dSimd } from './simd.js';

export const depthwiseConv2dVariants: readonly KernelVariant<DepthwiseConv2dKernel>[] = [
  referenceVariant('depthwise-conv2d', depthwiseConv2dReference, 'direct, float64 sums'),
  ...simdVariants(depthwiseConv2dSimd),
];
