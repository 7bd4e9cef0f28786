/** The implementations of this operation: one row each. */
import { type KernelVariant, referenceVariant } from '../spec.js';
import { type LayerNorm, layerNormReference } from './reference.js';

export const layerNormVariants: readonly KernelVariant<LayerNorm>[] = [
  referenceVariant(
    'layer-norm',
    layerNormReference,
    'mean, centred variance, scale: three passes over a row, float64 sums',
  ),
];
