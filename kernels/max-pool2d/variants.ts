/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type MaxPool2d, maxPool2dReference } from './reference.js';

export const maxPool2dVariants: readonly KernelVariant<MaxPool2d>[] = [
  referenceVariant('max-pool2d', maxPool2dReference, 'a window at a time'),
];
