/** The CNN of a keyword conformer: images [batch, steps, bands, channels], filters of 3 x 3. */
import { type Conv2dFilters, conv2dPacked, packConv2d } from '../ops/conv2d.js';
import {
  type DepthwiseConv2dFilters,
  depthwiseConv2dPacked,
  packDepthwiseConv2d,
} from '../ops/depthwise-conv2d.js';
import { relu } from '../ops/elementwise.js';
import { reshape, scope, type Tensor } from '../tensor/index.js';
import { KEYWORD_KERNEL } from './keyword-conformer-config.js';
import { LayerNorm } from './layer-norm.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/** Time and frequency. */
type Pair = readonly [number, number];

/** Convolution of one channel to many, layer norm over bands and channels, ReLU. */
export class SeparableStem {
  private readonly weight: Tensor;
  private readonly bias: Tensor;
  private readonly norm: LayerNorm;
  private filters: Conv2dFilters | null = null;

  constructor(
    parameters: Parameters,
    channels: number,
    /** Bands of the result. */
    bands: number,
    private readonly stride: Pair,
  ) {
    const conv = parameters.scope('conv');
    this.weight = conv.get('weight', [channels, 1, KEYWORD_KERNEL, KEYWORD_KERNEL], (stored) =>
      reshape(stored, [channels, KEYWORD_KERNEL, KEYWORD_KERNEL, 1]),
    );
    this.bias = conv.get('bias', [channels]);
    this.norm = new LayerNorm(parameters.scope('norm'), [bands, channels]);
  }

  /** [batch, steps, bands, 1] to [batch, steps', bands', channels]. */
  forward(x: Tensor): Tensor {
    const options = { stride: this.stride, padding: [1, 1], padMode: 'zero' } as const;
    this.filters ??= packConv2d(this.weight, this.bias, options);
    const { filters } = this;
    return scope(() => relu(this.norm.forward(conv2dPacked(x, filters))));
  }
}

/** Depthwise convolution, pointwise linear map, layer norm over bands and channels, ReLU. */
export class SeparableBlock {
  private readonly depthwise: Tensor;
  private readonly pointwise: Linear;
  private readonly norm: LayerNorm;
  private filters: DepthwiseConv2dFilters | null = null;

  constructor(
    parameters: Parameters,
    channels: number,
    /** Bands of the result. */
    bands: number,
    private readonly stride: Pair,
  ) {
    const shape = [channels, 1, KEYWORD_KERNEL, KEYWORD_KERNEL];
    this.depthwise = parameters
      .scope('depthwise')
      .get('weight', shape, (stored) => reshape(stored, [channels, KEYWORD_KERNEL, KEYWORD_KERNEL]));
    this.pointwise = new Linear(parameters.scope('pointwise'), channels, channels);
    this.norm = new LayerNorm(parameters.scope('norm'), [bands, channels]);
  }

  /** [batch, steps, bands, channels] to [batch, steps', bands', channels]. */
  forward(x: Tensor): Tensor {
    // A bias here would be the pointwise map's: nothing is between them.
    this.filters ??= packDepthwiseConv2d(this.depthwise, null, {
      stride: this.stride,
      padding: { rows: [1, 1], columns: [1, 1] },
    });
    const { filters } = this;
    return scope(() => relu(this.norm.forward(this.pointwise.forward(depthwiseConv2dPacked(x, filters)))));
  }
}
