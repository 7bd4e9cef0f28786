/**
 * CNN14 (Kong et al. 2020) as SpeechBrain builds it, in two halves that run apart: the device's prefix (norm over the mel
 * bands, blocks 1..M) and the cloud's suffix (blocks M+1..L, pooling over frequency and time, classifier).
 */

import { scaledAdd } from '../ops/elementwise.js';
import { requireRank, requireShape } from '../ops/shapes.js';
import { logSoftmax } from '../ops/softmax.js';
import { reshape, scope, type Tensor } from '../tensor/index.js';
import { BatchNorm } from './batch-norm.js';
import { Cnn14Block } from './cnn14-block.js';
import { type Cnn14Config, channelsBefore, cnn14Kind, poolsAfter } from './cnn14-config.js';
import { COSINE_SCALE, CosineHead, poolImage } from './cnn14-head.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

export type { Cnn14Config } from './cnn14-config.js';
export { cnn14Kind } from './cnn14-config.js';

/** Blocks `from` to `to`, counted from 1, both included. */
const blocksOf = (parameters: Parameters, config: Cnn14Config, from: number, to: number): Cnn14Block[] =>
  Array.from({ length: to - from + 1 }, (_, i) => {
    const block = from + i;
    return new Cnn14Block(
      parameters.scope(`conv_block${block}`),
      channelsBefore(config, block),
      config.channels[block - 1]!,
      poolsAfter(config, block),
    );
  });

const through = (blocks: readonly Cnn14Block[], image: Tensor): Tensor =>
  blocks.reduce((x, block) => block.forward(x), image);

/** The device's half: features in, the image after layer `splitLayer` out. */
export class Cnn14Prefix {
  readonly norm: BatchNorm;
  readonly blocks: readonly Cnn14Block[];

  constructor(
    parameters: Parameters,
    readonly config: Cnn14Config,
    splitLayer: number,
  ) {
    const embedding = parameters.scope('embedding_model');
    this.norm = new BatchNorm(embedding.scope('norm0'), config.mels);
    this.blocks = blocksOf(embedding, config, 1, splitLayer);
  }

  /** Features [batch, frames, mels] to [batch, steps, bands · channels], index = band · channels + channel. */
  forward(features: Tensor): Tensor {
    requireRank('Cnn14Prefix', 'features', features, 3, '[batch, frames, mels]');
    const [batch, frames] = features.shape as [number, number, number];
    requireShape('Cnn14Prefix', 'features', features, [batch, frames, this.config.mels]);
    return scope(() => {
      const image = reshape(this.norm.forward(features), [...features.shape, 1]);
      const y = through(this.blocks, image);
      return reshape(y, [batch, y.shape[1]!, y.shape[2]! * y.shape[3]!]);
    });
  }
}

/** The cloud's half: the image after layer `splitLayer` in, log-probabilities of the classes out. */
export class Cnn14Suffix {
  readonly blocks: readonly Cnn14Block[];
  readonly head: Linear | CosineHead;

  constructor(
    parameters: Parameters,
    readonly config: Cnn14Config,
    readonly splitLayer: number,
  ) {
    const { channels, classes, head, headWidth = 0 } = config;
    const features = channels[channels.length - 1]!;
    this.blocks = blocksOf(parameters.scope('embedding_model'), config, splitLayer + 1, channels.length);
    const classifier = parameters.scope('classifier');
    this.head =
      head === 'linear'
        ? new Linear(classifier, features, classes)
        : new CosineHead(classifier, features, headWidth, classes);
  }

  /** The image after the last block; and from it, log-probabilities. */
  readonly parts = {
    body: (x: Tensor): Tensor => this.image(x),
    head: (image: Tensor): Tensor => scope(() => this.logProbabilities(poolImage(image))),
  };

  /** [batch, steps, bands · channels] to the embedding [batch, channels of the last block]. */
  embed(x: Tensor): Tensor {
    return scope(() => poolImage(this.image(x)));
  }

  /** [batch, steps, bands · channels] to the image after the last block, [batch, steps', bands', channels']. */
  private image(x: Tensor): Tensor {
    const { bands, channels } = cnn14Kind.cut(this.config, this.splitLayer);
    requireRank('Cnn14Suffix', 'x', x, 3, '[batch, steps, bands · channels]');
    const [batch, steps] = x.shape as [number, number, number];
    requireShape('Cnn14Suffix', 'x', x, [batch, steps, bands * channels]);
    return scope(() => through(this.blocks, reshape(x, [batch, steps, bands, channels])));
  }

  /** The same to what the classes are compared by, [batch, classes]: logits of a linear head, cosines of a cosine head. */
  scores(x: Tensor): Tensor {
    return scope(() => this.head.forward(this.embed(x)));
  }

  /** The same to log-probabilities [batch, classes]. */
  forward(x: Tensor): Tensor {
    return scope(() => this.logProbabilities(this.embed(x)));
  }

  private logProbabilities(embedding: Tensor): Tensor {
    const scores = this.head.forward(embedding);
    if (this.config.head === 'linear') return logSoftmax(scores);
    return logSoftmax(scaledAdd(scores, COSINE_SCALE - 1, scores));
  }
}
