/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type FramePooling, framePoolingReference } from './reference.js';

export const framePoolingVariants: readonly KernelVariant<FramePooling>[] = [
  referenceVariant('frame-pooling', framePoolingReference, 'a number at a time, float64 sums'),
];
