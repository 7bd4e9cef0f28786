/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type CreateFourierPlan, createFourierPlan } from './reference.js';

export const fourierVariants: readonly KernelVariant<CreateFourierPlan>[] = [
  referenceVariant(
    'fourier',
    createFourierPlan,
    'fft.js for powers of two, chirp-z on fft.js for other lengths',
  ),
];
