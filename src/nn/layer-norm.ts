import { layerNorm } from '../ops/layer-norm.js';
import { reshape, type Tensor } from '../tensor/index.js';
import type { Parameters } from './parameters.js';

/** Epsilon of every layer norm in SpeechBrain's conformer but the last. */
export const LAYER_NORM_EPSILON = 1e-5;

/** Layer normalisation over the last axes, `shape`; parameters `weight` and `bias` of that shape. */
export class LayerNorm {
  readonly weight: Tensor;
  readonly bias: Tensor;

  constructor(
    parameters: Parameters,
    readonly shape: readonly number[],
    readonly epsilon = LAYER_NORM_EPSILON,
  ) {
    this.weight = parameters.get('weight', shape);
    this.bias = parameters.get('bias', shape);
  }

  forward(x: Tensor): Tensor {
    const outer = x.shape.slice(0, x.shape.length - this.shape.length);
    const flattened = this.shape.length === 1 ? x : reshape(x, [...outer, this.weight.size]);
    const y = layerNorm(flattened, this.weight, this.bias, this.epsilon);
    return this.shape.length === 1 ? y : reshape(y, x.shape);
  }
}
