import { scaledAdd } from '../ops/elementwise.js';
import type { PaddingMask } from '../ops/padding-mask.js';
import { describeShape, requireRank } from '../ops/shapes.js';
import { contiguous, empty, keep, ShapeError, scope, type Tensor, UsageError } from '../tensor/index.js';
import { type EncoderMemory, encoderMemory, type LayerMemory } from './chunk-memory.js';
import { ConvolutionModule } from './convolution-module.js';
import type { ChunkConfig, EncoderConfig } from './encoder-config.js';
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

  /** Chunks of several streams, x [streams, frames, width], with what each remembers of this layer. */
  forwardChunks(x: Tensor, positions: Tensor, memories: readonly LayerMemory[]): Tensor {
    const attention = this.attention as RelativeSelfAttention;
    const [attended, convolved] = [memories.map((of) => of.attention), memories.map((of) => of.convolution)];
    const a = scaledAdd(x, 0.5, this.feedForward1.forward(x));
    const b = scaledAdd(a, 1, attention.forwardChunks(this.norm1.forward(a), positions, attended));
    const c = scaledAdd(b, 1, this.convolution.forwardChunks(b, convolved));
    return this.norm2.forward(scaledAdd(c, 0.5, this.feedForward2.forward(c)));
  }
}

const requireFrames = (x: Tensor): void =>
  requireRank('ConformerEncoder', 'x', x, 3, '[batch, frames, width]');

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

  /** The memory of a stream that has not begun. */
  memory(): EncoderMemory {
    return encoderMemory(this.config, this.layers.length);
  }

  /**
   * The next chunk of each of several streams: x [streams, frames, width], no more frames than a chunk has, fewer only at the
   * end of all of them. What comes out depends on the chunks of its own stream alone; to the last bit where a chunk has a
   * multiple of 4 frames, because a row that is left over of the tiles of a matrix product is summed in another order.
   */
  forwardChunks(x: Tensor, memories: readonly EncoderMemory[]): Tensor {
    const { chunks } = this.config;
    if (chunks === undefined) throw new UsageError('ConformerEncoder: this encoder does not run in chunks');
    const [streams, frames] = x.shape as [number, number];
    if (streams !== memories.length || frames > chunks.frames) {
      throw new ShapeError(
        `ConformerEncoder: x ${describeShape(x.shape)} are no chunks of ${memories.length} streams, ${chunks.frames} frames each`,
      );
    }
    const positions = this.positions.of(chunks.past + chunks.frames);
    return scope(() => {
      const y = this.layers.reduce((before, layer, n) => {
        const own = memories.map((memory) => memory[n]!);
        return scope(() => layer.forwardChunks(before, positions, own));
      }, x);
      return this.finalNorm ? this.finalNorm.forward(y) : y;
    });
  }

  /** Whole recordings chunk by chunk, as streams get them: x [batch, frames, width]. */
  private inChunks(x: Tensor, { frames }: ChunkConfig): Tensor {
    const [batch, length, width] = x.shape as [number, number, number];
    const memories = Array.from({ length: batch }, () => this.memory());
    const y = empty(x.shape);
    for (let from = 0; from < length; from += frames) {
      const count = Math.min(frames, length - from);
      const chunk = contiguous(x.lo(0, from, 0).hi(batch, count, width));
      const part = this.forwardChunks(chunk, memories);
      for (let b = 0; b < batch; b++) {
        const row = part.offset + b * count * width;
        y.data.set(part.data.subarray(row, row + count * width), y.offset + (b * length + from) * width);
      }
    }
    return y;
  }

  /** x [batch, frames, width] to the same shape. `positions` overrides the table that is made otherwise. */
  forward(x: Tensor, mask?: PaddingMask, positions?: Tensor): Tensor {
    const { chunks } = this.config;
    if (chunks !== undefined) {
      if (mask)
        throw new UsageError(
          'ConformerEncoder: chunks of padded recordings are not known: run them one by one',
        );
      requireFrames(x);
      return scope(() => this.inChunks(x, chunks));
    }
    return this.whole(x, mask, positions ?? this.positionsFor(x));
  }

  private whole(x: Tensor, mask: PaddingMask | undefined, positions: Tensor): Tensor {
    return scope(() => {
      const y = this.layers.reduce((frames, layer) => scope(() => layer.forward(frames, positions, mask)), x);
      return this.finalNorm ? this.finalNorm.forward(y) : y;
    });
  }

  private positionsFor(x: Tensor): Tensor {
    requireFrames(x);
    return this.positions.of(x.shape[1]!);
  }
}
