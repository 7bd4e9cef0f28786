/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type ImagePooling, imagePoolingReference } from './reference.js';

export const imagePoolingVariants: readonly KernelVariant<ImagePooling>[] = [
  referenceVariant('image-pooling', imagePoolingReference, 'a time step at a time, float64 sums'),
];
