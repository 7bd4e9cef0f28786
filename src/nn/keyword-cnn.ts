/**
 * A keyword spotting network (keyword-cnn-config.ts) in two halves that run apart: the device's prefix (layers 1..M) and
 * the cloud's suffix (layers M+1..L, head).
 */

import { requireShape } from '../ops/shapes.js';
import { logSoftmax } from '../ops/softmax.js';
import { reshape, scope, type Tensor } from '../tensor/index.js';
import { elementsOf, type KeywordCnnConfig, type KeywordMap, keywordMaps } from './keyword-cnn-config.js';
import { type KeywordLayer, keywordLayer } from './keyword-cnn-layers.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/** Layers `from` + 1 .. `to`, and the maps around them. */
class KeywordLayers {
  private readonly layers: readonly KeywordLayer[];
  private readonly first: KeywordMap;
  private readonly last: KeywordMap;

  constructor(parameters: Parameters, config: KeywordCnnConfig, from: number, to: number) {
    const maps = keywordMaps(config);
    this.layers = config.layers
      .slice(from, to)
      .map((layer, n) => keywordLayer(parameters.scope(`layers.${from + n}`), layer, maps[from + n]!));
    this.first = maps[from]!;
    this.last = maps[to]!;
  }

  /** [batch, steps, bands · channels] of the first map to the same of the last. */
  forward(half: string, x: Tensor): Tensor {
    const { steps, bands, channels } = this.first;
    const batch = x.shape[0] ?? 1;
    requireShape(half, 'x', x, [batch, steps, bands * channels]);
    const image = reshape(x, [batch, steps, bands, channels]);
    const y = this.layers.reduce((map, layer) => scope(() => layer.forward(map)), image);
    return reshape(y, [batch, this.last.steps, this.last.bands * this.last.channels]);
  }
}

/** The device's half: features [batch, frames, features] in, [batch, steps, bands · channels] of layer `splitLayer` out. */
export class KeywordCnnPrefix {
  private readonly layers: KeywordLayers;

  constructor(parameters: Parameters, config: KeywordCnnConfig, splitLayer: number) {
    this.layers = new KeywordLayers(parameters, config, 0, splitLayer);
  }

  forward(features: Tensor): Tensor {
    return scope(() => this.layers.forward('KeywordCnnPrefix', features));
  }
}

/** The cloud's half: [batch, steps, bands · channels] of layer `splitLayer` in, log-probabilities [batch, classes] out. */
export class KeywordCnnSuffix {
  private readonly layers: KeywordLayers;
  private readonly head: Linear;

  constructor(
    parameters: Parameters,
    private readonly config: KeywordCnnConfig,
    splitLayer: number,
  ) {
    this.layers = new KeywordLayers(parameters, config, splitLayer, config.layers.length);
    this.head = new Linear(parameters.scope('head'), this.headFeatures, config.classes);
  }

  private get headFeatures(): number {
    return elementsOf(keywordMaps(this.config)[this.config.layers.length]!);
  }

  forward(x: Tensor): Tensor {
    return scope(() => {
      const map = this.layers.forward('KeywordCnnSuffix', x);
      return logSoftmax(this.head.forward(reshape(map, [map.shape[0]!, this.headFeatures])));
    });
  }
}
