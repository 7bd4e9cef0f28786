/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type AveragePool2d, averagePool2dReference } from './reference.js';
import { averagePool2dSimd } from './simd.js';

export const averagePool2dVariants: readonly KernelVariant<AveragePool2d>[] = [
  referenceVariant('average-pool2d', averagePool2dReference, 'a window at a time, float64 sums'),
  ...simdVariants(averagePool2dSimd),
];
