/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type MatmulKernel, matmulReference } from './reference.js';
import { matmulSimd } from './simd.js';

export const matmulVariants: readonly KernelVariant<MatmulKernel>[] = [
  referenceVariant('matmul', matmulReference, '3 x 3 register tile, any strides, float64 sums'),
  ...simdVariants(matmulSimd),
];
