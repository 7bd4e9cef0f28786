import { undeferred } from '../ops/dispatch.js';
import { type LinearWeights, linear, linearPacked, packLinear } from '../ops/matmul.js';
import type { PaddingMask } from '../ops/padding-mask.js';
import { relativeAttention } from '../ops/relative-attention.js';
import { empty, keep, type Tensor, zeros } from '../tensor/index.js';
import { type FrameMemory, lastFrames, remembered } from './chunk-memory.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';
import { RecentTensor } from './recent-tensor.js';

/**
 * SpeechBrain's table of relative positions (RelPosEncXL), [2 · frames - 1, width]: row p is for the distance
 * |p - (frames - 1)|, even columns its sine and odd columns its cosine at frequencies 10000^(-2k / width).
 * Past and future look the same: the sign of the sine is not flipped.
 */
export function relativePositions(frames: number, width: number): Tensor {
  const table = zeros([2 * frames - 1, width]);
  for (let k = 0; 2 * k < width; k++) {
    const frequency = 10000 ** ((-2 * k) / width);
    for (let distance = 0; distance < frames; distance++) {
      const [sine, cosine] = [Math.sin(distance * frequency), Math.cos(distance * frequency)];
      for (const row of [frames - 1 - distance, frames - 1 + distance]) {
        table.data[row * width + 2 * k] = sine;
        if (2 * k + 1 < width) table.data[row * width + 2 * k + 1] = cosine;
      }
    }
  }
  return table;
}

/** Self-attention with relative positions: SpeechBrain's RelPosMHAXL. */
export class RelativeSelfAttention {
  readonly inWeight: Tensor;
  readonly positionWeight: Tensor;
  readonly biasU: Tensor;
  readonly biasV: Tensor;
  readonly out: Linear;
  private inWeights: LinearWeights | null = null;
  /** Tables of positions times the weight for them. */
  private readonly projected = new RecentTensor((table: Tensor) =>
    undeferred(() => keep(linear(table, this.positionWeight, null))),
  );

  constructor(
    parameters: Parameters,
    readonly width: number,
    readonly heads: number,
  ) {
    this.inWeight = parameters.get('in_proj_weight', [3 * width, width]);
    this.positionWeight = parameters.scope('linear_pos').get('weight', [width, width]);
    // Stored [head size, heads] but used as [heads, head size]: the same memory, no transposition.
    this.biasU = parameters.get('pos_bias_u', [width / heads, heads]);
    this.biasV = parameters.get('pos_bias_v', [width / heads, heads]);
    this.out = new Linear(parameters.scope('out_proj'), width, width);
  }

  /** x [batch, frames, width], positions [2 · frames - 1, width]; gives [batch, frames, width]. */
  forward(x: Tensor, positions: Tensor, mask?: PaddingMask): Tensor {
    return this.attend(x, positions, mask, false).output;
  }

  /**
   * Chunks of several streams: x [streams, frames, width] to the same shape, each after what its memory has of the frames
   * before. `positions` [2 · longest - 1, width], of all that a chunk's frames may reach.
   */
  forwardChunks(x: Tensor, positions: Tensor, memories: readonly FrameMemory[]): Tensor {
    this.inWeights ??= packLinear(this.inWeight, null);
    const packed = linearPacked(x, this.inWeights);
    const table = this.projected.of(positions);
    const longest = (table.shape[0]! + 1) / 2;
    const queries = x.shape[1]!;
    const attended = empty(x.shape);
    memories.forEach((memory, b) => {
      const queryKeyValue = remembered(packed, b, memory);
      const keys = queryKeyValue.shape[1]!;
      const { output } = relativeAttention({
        queryKeyValue,
        queries,
        positions: table.lo(longest - keys, 0).hi(queries + keys - 1, this.width),
        biasU: this.biasU,
        biasV: this.biasV,
        heads: this.heads,
        scale: 1 / Math.sqrt(this.width),
      });
      lastFrames(output, attended, b);
    });
    return this.out.forward(attended);
  }

  /** `forward` with the attention map [batch, heads, frames, frames], for study and tests. */
  attend(
    x: Tensor,
    positions: Tensor,
    mask: PaddingMask | undefined,
    keepMap: boolean,
  ): { readonly output: Tensor; readonly map: Tensor | null } {
    this.inWeights ??= packLinear(this.inWeight, null);
    const { output, map } = relativeAttention({
      queryKeyValue: linearPacked(x, this.inWeights),
      positions: this.projected.of(positions),
      biasU: this.biasU,
      biasV: this.biasV,
      heads: this.heads,
      scale: 1 / Math.sqrt(this.width),
      mask,
      keepMap,
    });
    return { output: this.out.forward(output), map };
  }
}
