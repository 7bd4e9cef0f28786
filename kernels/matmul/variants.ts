/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type Matmul, matmulReference } from './reference.js';

export const matmulVariants: readonly KernelVariant<Matmul>[] = [
  referenceVariant(matmulReference, '3 x 3 register tile, any strides, float64 sums'),
];
