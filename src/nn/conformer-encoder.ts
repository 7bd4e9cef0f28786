import { scaledAdd } from '../ops/elementwise.js';
import type { PaddingMask } from '../ops/padding-mask.js';
import { requireRank } from '../ops/shapes.js';
import { keep, scope, type Tensor } from '../tensor/index.js';
import { ConvolutionModule } from './convolution-module.js';
import type { EncoderConfig } from './encoder-config.js';
import { FeedForward } from './feed-forward.js';
import { LayerNorm } from './layer-norm.js';
import type { Parameters } from './parameters.js';
import { RecentTensor } from './recent-tensor.js';
import { RelativeSelfAttention, relativePositions } from './relative-self-attention.js';
import { RotarySelfAttention, rotaryTable } from './rotary-self-attention.js';

/** What attention needs to know of positions, for `frames` frames: the table of one kind or the other. */
const positionTable = ({ positions, width, heads }: EncoderConfig, frames: number): Tensor =>
  positions === 'rotary' ? keep(rotaryTable(frames, width / heads)) : relativePositions(frames, width);

/**
 * One conformer encoder layer (Gulati et al. 2020, as SpeechBrain orders it):
 *
 *   x += FFN1(x) / 2;  x += attention(norm1(x));  x += convolution(x);  y = norm2(x + FFN2(x) / 2)
 */
export class ConformerLayer {
  readonly feedForward1: FeedForward;
  readonly norm1: LayerNorm;
  readonly attention: RelativeSelfAttention | RotarySelfAttention;
  readonly convolution: ConvolutionModule;
  readonly feedForward2: FeedForward;
  readonly norm2: LayerNorm;

  constructor(parameters: Parameters, config: EncoderConfig) {
    const { width, heads, feedForward, depthwiseTaps } = config;
    const Attention = config.positions === 'rotary' ? RotarySelfAttention : RelativeSelfAttention;
    this.feedForward1 = new FeedForward(parameters.scope('ffn_module1'), width, feedForward);
    this.norm1 = new LayerNorm(parameters.scope('norm1.norm'), [width]);
    this.attention = new Attention(parameters.scope('mha_layer'), width, heads);
    this.convolution = new ConvolutionModule(parameters.scope('convolution_module'), width, depthwiseTaps);
    this.feedForward2 = new FeedForward(parameters.scope('ffn_module2'), width, feedForward);
    this.norm2 = new LayerNorm(parameters.scope('norm2.norm'), [width]);
  }

  /** x [batch, frames, width] and the table of positions that its attention takes; gives [batch, frames, width]. */
  forward(x: Tensor, positions: Tensor, mask?: PaddingMask): Tensor {
    const a = scaledAdd(x, 0.5, this.feedForward1.forward(x));
    const b = scaledAdd(a, 1, this.attention.forward(this.norm1.forward(a), positions, mask));
    const c = scaledAdd(b, 1, this.convolution.forward(b, mask));
    return this.norm2.forward(scaledAdd(c, 0.5, this.feedForward2.forward(c)));
  }
}

/** Epsilon of the norm after the last layer; all others have 1e-5. */
const FINAL_NORM_EPSILON = 1e-6;

/** Which part of an encoder is built: layers `from` .. `to` - 1, counted from 0, and the norm after the last. */
export interface EncoderPart {
  readonly from: number;
  readonly to: number;
  readonly finalNorm: boolean;
}

/** A run of consecutive encoder layers, with or without the norm that follows the last one. */
export class ConformerEncoder {
  readonly layers: readonly ConformerLayer[];
  readonly finalNorm: LayerNorm | null;
  private readonly positions = new RecentTensor((frames: number) => positionTable(this.config, frames));

  constructor(
    parameters: Parameters,
    readonly config: EncoderConfig,
    part: EncoderPart = { from: 0, to: config.layers, finalNorm: true },
  ) {
    this.layers = Array.from(
      { length: part.to - part.from },
      (_, i) => new ConformerLayer(parameters.scope(`layers.${part.from + i}`), config),
    );
    this.finalNorm = part.finalNorm
      ? new LayerNorm(parameters.scope('norm.norm'), [config.width], FINAL_NORM_EPSILON)
      : null;
  }

  /** x [batch, frames, width] to the same shape. `positions` overrides the table that is made otherwise. */
  forward(x: Tensor, mask?: PaddingMask, positions = this.positionsFor(x)): Tensor {
    return scope(() => {
      const y = this.layers.reduce((frames, layer) => scope(() => layer.forward(frames, positions, mask)), x);
      return this.finalNorm ? this.finalNorm.forward(y) : y;
    });
  }

  private positionsFor(x: Tensor): Tensor {
    requireRank('ConformerEncoder', 'x', x, 3, '[batch, frames, width]');
    return this.positions.of(x.shape[1]!);
  }
}
