import type { Tensor } from '../tensor/index.js';
import { LayerNorm } from './layer-norm.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/** Names of the parts of a feed-forward module. */
export interface FeedForwardNames {
  readonly norm: string;
  readonly inner: string;
  readonly outer: string;
}

const SPEECHBRAIN: FeedForwardNames = { norm: '0', inner: '1.ffn.0', outer: '1.ffn.3' };

/** Feed-forward module: layer norm, linear to `hidden`, Swish, linear back. */
export class FeedForward {
  readonly norm: LayerNorm;
  readonly inner: Linear;
  readonly outer: Linear;

  constructor(parameters: Parameters, width: number, hidden: number, names = SPEECHBRAIN) {
    this.norm = new LayerNorm(parameters.scope(names.norm), [width]);
    this.inner = new Linear(parameters.scope(names.inner), width, hidden);
    this.outer = new Linear(parameters.scope(names.outer), hidden, width);
  }

  /** [..., width] to [..., width]. */
  forward(x: Tensor): Tensor {
    return this.outer.forward(this.inner.forward(this.norm.forward(x), 'swish'));
  }
}
