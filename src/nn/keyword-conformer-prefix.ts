/** The device's half of a keyword conformer (keyword-conformer-config.ts): separable CNN, linear, layers 1..M. */
import { requireRank, requireShape } from '../ops/shapes.js';
import { reshape, scope, type Tensor } from '../tensor/index.js';
import { ConformerEncoder } from './conformer-encoder.js';
import { bandsAfter, columnFeatures, type KeywordConformerConfig } from './keyword-conformer-config.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';
import { SeparableBlock, SeparableStem } from './separable-block.js';

/** The device's half: features [batch, frames, mels] in, [batch, steps, width] of layer `splitLayer` out. */
export class KeywordConformerPrefix {
  readonly stem: SeparableStem;
  readonly blocks: readonly SeparableBlock[];
  readonly input: Linear;
  readonly encoder: ConformerEncoder;

  constructor(
    parameters: Parameters,
    private readonly config: KeywordConformerConfig,
    splitLayer: number,
  ) {
    const { channels, strides, encoder } = config;
    const [stemStride, ...blockStrides] = strides as [readonly [number, number]];
    this.stem = new SeparableStem(parameters.scope('stem'), channels, bandsAfter(config, 1), stemStride);
    this.blocks = blockStrides.map(
      (stride, n) =>
        new SeparableBlock(parameters.scope(`blocks.${n}`), channels, bandsAfter(config, n + 2), stride),
    );
    this.input = new Linear(parameters.scope('linear'), columnFeatures(config), encoder.width);
    const part = { from: 0, to: splitLayer, finalNorm: false };
    this.encoder = new ConformerEncoder(parameters.scope('encoder'), encoder, part);
  }

  /** Features to what enters the first conformer layer, [batch, steps, width]. */
  embed(features: Tensor): Tensor {
    requireRank('KeywordConformerPrefix', 'features', features, 3, '[batch, frames, mels]');
    const [batch, frames] = features.shape as [number, number, number];
    requireShape('KeywordConformerPrefix', 'features', features, [batch, frames, this.config.mels]);
    return scope(() => {
      const stem = this.stem.forward(reshape(features, [batch, frames, this.config.mels, 1]));
      const image = this.blocks.reduce((x, block) => block.forward(x), stem);
      return this.input.forward(reshape(image, [batch, image.shape[1]!, columnFeatures(this.config)]));
    });
  }

  forward(features: Tensor): Tensor {
    return scope(() => this.encoder.forward(this.embed(features)));
  }
}
