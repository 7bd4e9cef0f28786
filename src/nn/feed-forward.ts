import type { Tensor } from '../tensor/index.js';
import { LayerNorm } from './layer-norm.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/** Feed-forward module: layer norm, linear to `hidden`, Swish, linear back. */
export class FeedForward {
  readonly norm: LayerNorm;
  readonly inner: Linear;
  readonly outer: Linear;

  constructor(parameters: Parameters, width: number, hidden: number) {
    this.norm = new LayerNorm(parameters.scope('0'), [width]);
    this.inner = new Linear(parameters.scope('1.ffn.0'), width, hidden);
    this.outer = new Linear(parameters.scope('1.ffn.3'), hidden, width);
  }

  /** [..., width] to [..., width]. */
  forward(x: Tensor): Tensor {
    return this.outer.forward(this.inner.forward(this.norm.forward(x), 'swish'));
  }
}
