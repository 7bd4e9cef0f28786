/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../../spec.js';
import { type ImagePoolingBackward, imagePoolingBackwardReference } from './reference.js';

export const imagePoolingBackwardVariants: readonly KernelVariant<ImagePoolingBackward>[] = [
  referenceVariant('image-pooling-backward', imagePoolingBackwardReference, 'a time step at a time'),
];
