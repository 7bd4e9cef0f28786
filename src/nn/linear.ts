import { type LinearWeights, linearPacked, packLinear } from '../ops/matmul.js';
import type { Tensor } from '../tensor/index.js';
import type { Parameters } from './parameters.js';

/**
 * X Wᵀ + bias over the last axis; parameters `weight` [out, in] and `bias` [out]. The weight is packed for the
 * kernel at the first use, and must not change after it.
 */
export class Linear {
  readonly weight: Tensor;
  readonly bias: Tensor;
  private packed: LinearWeights | null = null;

  constructor(parameters: Parameters, inFeatures: number, outFeatures: number) {
    this.weight = parameters.get('weight', [outFeatures, inFeatures]);
    this.bias = parameters.get('bias', [outFeatures]);
  }

  forward(x: Tensor, activation: 'none' | 'relu' | 'swish' = 'none'): Tensor {
    this.packed ??= packLinear(this.weight, this.bias);
    return linearPacked(x, this.packed, activation);
  }
}
