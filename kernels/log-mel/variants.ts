/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type CreateLogMel, createLogMelReference } from './reference.js';
import { logMelSimd } from './simd.js';

export const logMelVariants: readonly KernelVariant<CreateLogMel>[] = [
  referenceVariant('log-mel', createLogMelReference, 'a frame at a time, sparse filters, float64 throughout'),
  ...simdVariants(logMelSimd),
];
