/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type RotaryPositions, rotaryPositionsReference } from './reference.js';
import { rotaryPositionsSimd } from './simd.js';

export const rotaryPositionsVariants: readonly KernelVariant<RotaryPositions>[] = [
  referenceVariant(
    'rotary-positions',
    rotaryPositionsReference,
    'a pair at a time, cosines and sines by table',
  ),
  ...simdVariants(rotaryPositionsSimd),
];
