/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../../spec.js';
import { simdVariants } from '../../wasm/runtime.js';
import { type AveragePool2dBackward, averagePool2dBackwardReference } from './reference.js';
import { averagePool2dBackwardSimd } from './simd.js';

export const averagePool2dBackwardVariants: readonly KernelVariant<AveragePool2dBackward>[] = [
  referenceVariant(
    'average-pool2d-backward',
    averagePool2dBackwardReference,
    'window by window, float64 sums',
  ),
  ...simdVariants(averagePool2dBackwardSimd),
];
