import { linear } from '../ops/index.js';
import type { Tensor } from '../tensor/index.js';
import type { Parameters } from './parameters.js';

/** X Wᵀ + bias over the last axis; parameters `weight` [out, in] and `bias` [out]. */
export class Linear {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(parameters: Parameters, inFeatures: number, outFeatures: number) {
    this.weight = parameters.get('weight', [outFeatures, inFeatures]);
    this.bias = parameters.get('bias', [outFeatures]);
  }

  forward(x: Tensor): Tensor {
    return linear(x, this.weight, this.bias);
  }
}
