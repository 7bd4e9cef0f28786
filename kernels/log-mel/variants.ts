/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type LogMel, logMelReference } from './reference.js';

export const logMelVariants: readonly KernelVariant<LogMel>[] = [
  referenceVariant('log-mel', logMelReference, 'a frame at a time, sparse filters, float64 throughout'),
];
