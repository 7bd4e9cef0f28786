/** torchaudio's Conformer: layers of the same modules as SpeechBrain's, with plain attention and another convolution module. */

import { scaledAdd } from '../ops/elementwise.js';
import type { PaddingMask } from '../ops/padding-mask.js';
import { ModelError, scope, type Tensor } from '../tensor/index.js';
import { FeedForward } from './feed-forward.js';
import { LayerNorm } from './layer-norm.js';
import { MultiheadAttention } from './multihead-attention.js';
import type { Parameters } from './parameters.js';
import { TorchaudioConvolution } from './torchaudio-convolution.js';

export interface TorchaudioConformerConfig {
  readonly type: 'torchaudio-conformer';
  /** Features of a frame. */
  readonly width: number;
  readonly heads: number;
  readonly layers: number;
  /** Hidden features of the feed-forward modules. */
  readonly feedForward: number;
  /** Taps of the depthwise convolution, an odd number. */
  readonly depthwiseTaps: number;
  /** Norm after the depthwise convolution: batch norm, or group norm with one group. */
  readonly norm: 'batch' | 'group';
  /** Whether the convolution module comes before attention rather than after it. */
  readonly convolutionFirst: boolean;
}

const FEED_FORWARD = { norm: 'sequential.0', inner: 'sequential.1', outer: 'sequential.4' };

/**
 * One layer:
 *
 *   x += FFN1(x) / 2;  x += attention(norm(x));  x += convolution(x);  y = final norm(x + FFN2(x) / 2)
 *
 * with the convolution before the attention where the configuration says so. Padded frames take no part in the attention of
 * others; all else is computed for them as for the rest, as torchaudio does it.
 */
export class TorchaudioConformerLayer {
  readonly feedForward1: FeedForward;
  readonly attentionNorm: LayerNorm;
  readonly attention: MultiheadAttention;
  readonly convolution: TorchaudioConvolution;
  readonly feedForward2: FeedForward;
  readonly finalNorm: LayerNorm;

  constructor(
    parameters: Parameters,
    readonly config: TorchaudioConformerConfig,
  ) {
    const { width, heads, feedForward, depthwiseTaps, norm } = config;
    this.feedForward1 = new FeedForward(parameters.scope('ffn1'), width, feedForward, FEED_FORWARD);
    this.attentionNorm = new LayerNorm(parameters.scope('self_attn_layer_norm'), [width]);
    this.attention = new MultiheadAttention(parameters.scope('self_attn'), width, heads);
    this.convolution = new TorchaudioConvolution(parameters.scope('conv_module'), width, depthwiseTaps, norm);
    this.feedForward2 = new FeedForward(parameters.scope('ffn2'), width, feedForward, FEED_FORWARD);
    this.finalNorm = new LayerNorm(parameters.scope('final_layer_norm'), [width]);
  }

  /** x [batch, frames, width] to the same shape; mask [batch, frames], 1 = padding. */
  forward(x: Tensor, mask?: PaddingMask): Tensor {
    const convolve = (y: Tensor) => scaledAdd(y, 1, this.convolution.forward(y));
    const attend = (y: Tensor) =>
      scaledAdd(y, 1, this.attention.forward(this.attentionNorm.forward(y), mask));
    const a = scaledAdd(x, 0.5, this.feedForward1.forward(x));
    const b = this.config.convolutionFirst ? attend(convolve(a)) : convolve(attend(a));
    return this.finalNorm.forward(scaledAdd(b, 0.5, this.feedForward2.forward(b)));
  }
}

/** Throws ModelError where a configuration could not be a network; it bounds every size. */
export function checkTorchaudioConformer(config: TorchaudioConformerConfig): void {
  const { width, heads, depthwiseTaps, norm, convolutionFirst } = config;
  for (const name of ['width', 'heads', 'layers', 'feedForward', 'depthwiseTaps'] as const) {
    const value: unknown = config[name];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MOST[name]) continue;
    throw new ModelError(
      `torchaudio conformer: ${name} is ${String(value)}, expected a whole number from 1 to ${MOST[name]}`,
    );
  }
  if (width % heads !== 0) {
    throw new ModelError(`torchaudio conformer: a width of ${width} does not divide into ${heads} heads`);
  }
  if (depthwiseTaps % 2 === 0) {
    throw new ModelError(`torchaudio conformer: ${depthwiseTaps} depthwise taps have no centre`);
  }
  if (norm !== 'batch' && norm !== 'group') {
    throw new ModelError(`torchaudio conformer: norm is ${String(norm)}, expected batch or group`);
  }
  if (typeof convolutionFirst !== 'boolean') {
    throw new ModelError(
      `torchaudio conformer: convolutionFirst is ${String(convolutionFirst)}, expected true or false`,
    );
  }
}

/** Sizes beyond every published model; they bound what a header can make us allocate. */
const MOST = { width: 8192, heads: 256, layers: 256, feedForward: 65536, depthwiseTaps: 1023 } as const;

/** Layers `from` .. `to` - 1, counted from 0, of a Conformer: all of it, or what is before or after a cut. */
export class TorchaudioConformer {
  readonly layers: readonly TorchaudioConformerLayer[];

  constructor(
    parameters: Parameters,
    readonly config: TorchaudioConformerConfig,
    part: { readonly from: number; readonly to: number } = { from: 0, to: config.layers },
  ) {
    checkTorchaudioConformer(config);
    this.layers = Array.from(
      { length: part.to - part.from },
      (_, i) => new TorchaudioConformerLayer(parameters.scope(`conformer_layers.${part.from + i}`), config),
    );
  }

  /** x [batch, frames, width] to the same shape; mask [batch, frames], 1 = padding. */
  forward(x: Tensor, mask?: PaddingMask): Tensor {
    return scope(() => this.layers.reduce((frames, layer) => scope(() => layer.forward(frames, mask)), x));
  }
}
