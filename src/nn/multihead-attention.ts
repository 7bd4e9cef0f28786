import { attention } from '../ops/attention.js';
import { type LinearWeights, linearPacked, packLinear } from '../ops/matmul.js';
import type { PaddingMask } from '../ops/padding-mask.js';
import { type Tensor, view } from '../tensor/index.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

export interface AttendOptions {
  /** Which keys are padding: [batch, keys]. */
  readonly mask?: PaddingMask | undefined;
  /** Added to the scores: [frames, keys]. */
  readonly added?: Tensor | undefined;
  readonly keepMap?: boolean;
}

/** One of query, key and value, or all of them, as [batch, frames, features]. */
interface Projected {
  readonly tensor: Tensor;
  /** Where its first feature is. */
  readonly from: number;
}

/**
 * Attention without positions: PyTorch's MultiheadAttention, batch first. Parameters `in_proj_weight` [3 width, width] and
 * `in_proj_bias`, rows of all queries, then keys, then values, heads one after another in each; `out_proj`.
 */
export class MultiheadAttention {
  readonly inWeight: Tensor;
  readonly inBias: Tensor;
  readonly out: Linear;
  /** All three projections as one. */
  private together: LinearWeights | null = null;
  /** Those of query, key and value, for attention to another sequence. */
  private apart: readonly LinearWeights[] | null = null;

  constructor(
    parameters: Parameters,
    readonly width: number,
    readonly heads: number,
  ) {
    this.inWeight = parameters.get('in_proj_weight', [3 * width, width]);
    this.inBias = parameters.get('in_proj_bias', [3 * width]);
    this.out = new Linear(parameters.scope('out_proj'), width, width);
  }

  /** Frames to themselves: x [batch, frames, width] to the same shape. */
  forward(x: Tensor, mask?: PaddingMask): Tensor {
    this.together ??= packLinear(this.inWeight, this.inBias);
    const tensor = linearPacked(x, this.together);
    const parts = [0, 1, 2].map((i) => ({ tensor, from: i * this.width }));
    return this.combine(parts, { mask }).output;
  }

  /**
   * Frames [batch, frames, width] to keys and values [batch, keys, width]: [batch, frames, width], and where it is asked
   * for the attention map [batch, heads, frames, keys].
   */
  attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    options: AttendOptions = {},
  ): { readonly output: Tensor; readonly map: Tensor | null } {
    const { width } = this;
    this.apart ??= [0, 1, 2].map((i) =>
      packLinear(this.inWeight.lo(i * width, 0).hi(width, width), this.inBias.lo(i * width).hi(width)),
    );
    const weights = this.apart;
    const parts = [query, key, value].map((x, i) => ({ tensor: linearPacked(x, weights[i]!), from: 0 }));
    return this.combine(parts, options);
  }

  private combine(parts: readonly Projected[], options: AttendOptions) {
    const size = this.width / this.heads;
    const [query, key, value] = parts.map(({ tensor, from }) => {
      const [batch, frames, features] = tensor.shape as [number, number, number];
      const stride = [frames * features, features, size, 1];
      return view(tensor.data, [batch, frames, this.heads, size], stride, tensor.offset + from);
    }) as [Tensor, Tensor, Tensor];
    const { output, map } = attention({ query, key, value, scale: 1 / Math.sqrt(size), ...options });
    return { output: this.out.forward(output), map };
  }
}
