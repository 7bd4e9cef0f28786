/** The cloud's half of a keyword conformer: layers M+1..L, final norm, mean over time, head. */
import { averagePool2d } from '../ops/pooling.js';
import { requireRank, requireShape } from '../ops/shapes.js';
import { logSoftmax } from '../ops/softmax.js';
import { reshape, scope, type Tensor } from '../tensor/index.js';
import { ConformerEncoder } from './conformer-encoder.js';
import type { KeywordConformerConfig } from './keyword-conformer-config.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/** The cloud's half: [batch, steps, width] of layer `splitLayer` in, log-probabilities [batch, classes] out. */
export class KeywordConformerSuffix {
  readonly encoder: ConformerEncoder;
  readonly head: Linear;

  constructor(parameters: Parameters, { encoder, classes }: KeywordConformerConfig, splitLayer: number) {
    const part = { from: splitLayer, to: encoder.layers, finalNorm: true };
    this.encoder = new ConformerEncoder(parameters.scope('encoder'), encoder, part);
    this.head = new Linear(parameters.scope('head'), encoder.width, classes);
  }

  forward(x: Tensor): Tensor {
    const { width } = this.encoder.config;
    requireRank('KeywordConformerSuffix', 'x', x, 3, '[batch, steps, width]');
    const [batch, steps] = x.shape as [number, number, number];
    requireShape('KeywordConformerSuffix', 'x', x, [batch, steps, width]);
    return scope(() => {
      const image = reshape(this.encoder.forward(x), [batch, steps, 1, width]);
      const mean = averagePool2d(image, { window: [steps, 1], stride: [steps, 1] });
      return logSoftmax(this.head.forward(reshape(mean, [batch, width])));
    });
  }
}
