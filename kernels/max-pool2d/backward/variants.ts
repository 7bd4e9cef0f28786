/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../../spec.js';
import { type MaxPool2dBackward, maxPool2dBackwardReference } from './reference.js';

export const maxPool2dBackwardVariants: readonly KernelVariant<MaxPool2dBackward>[] = [
  referenceVariant('max-pool2d-backward', maxPool2dBackwardReference, 'a window at a time, float64 sums'),
];
