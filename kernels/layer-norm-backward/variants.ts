/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { simdVariants } from '../wasm/runtime.js';
import { type LayerNormBackward, layerNormBackwardReference } from './reference.js';
import { layerNormBackwardSimd } from './simd.js';

export const layerNormBackwardVariants: readonly KernelVariant<LayerNormBackward>[] = [
  referenceVariant('layer-norm-backward', layerNormBackwardReference, 'four passes over a row, float64 sums'),
  ...simdVariants(layerNormBackwardSimd),
];
