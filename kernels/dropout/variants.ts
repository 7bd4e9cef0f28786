/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type Dropout, dropoutReference } from './reference.js';
import { dropoutSimd } from './simd.js';

export const dropoutVariants: readonly KernelVariant<Dropout>[] = [
  referenceVariant('dropout', dropoutReference, 'an index mixed at a time'),
  ...simdVariants(dropoutSimd),
];
