import { relativeAttentionVariants } from '../../kernels/relative-attention/variants.js';
import { contiguous, empty, ShapeError, type Tensor } from '../tensor/index.js';
import { kernelOf } from './dispatch.js';
import { type PaddingMask, requireMask } from './padding-mask.js';
import { requireRank, requireShape, vectorOf } from './shapes.js';

export interface RelativeAttentionInputs {
  /** [batch, frames, 3 · width]: per head its query, key and value side by side. */
  readonly queryKeyValue: Tensor;
  /** Frames at the end whose attention is wanted; all of them where it is left out. */
  readonly queries?: number;
  /** Projected positions [queries + frames - 1, width]. */
  readonly positions: Tensor;
  /** Content and position biases [heads, width / heads]. */
  readonly biasU: Tensor;
  readonly biasV: Tensor;
  readonly heads: number;
  readonly scale: number;
  readonly mask?: PaddingMask | undefined;
  /** Whether the attention map is kept: [batch, heads, queries, frames]. */
  readonly keepMap?: boolean;
}

/**
 * Multi-head self-attention with relative positions, per batch item; the formula is the kernel's. Gives
 * [batch, queries, width].
 */
export function relativeAttention(inputs: RelativeAttentionInputs): {
  readonly output: Tensor;
  readonly map: Tensor | null;
} {
  const { queryKeyValue, positions, biasU, biasV, heads, scale, mask, keepMap = false } = inputs;
  const operation = 'relativeAttention';
  requireRank(operation, 'queryKeyValue', queryKeyValue, 3, '[batch, frames, 3 width]');
  const [batch, frames, packed] = queryKeyValue.shape as [number, number, number];
  if (packed % (3 * heads) !== 0) {
    throw new ShapeError(
      `${operation}: ${packed} packed features are no query, key and value of ${heads} heads`,
    );
  }
  const width = packed / 3;
  const headSize = width / heads;
  const queries = inputs.queries ?? frames;
  if (!(queries >= 0 && queries <= frames)) {
    throw new ShapeError(`${operation}: ${queries} queries of ${frames} frames`);
  }
  requireShape(operation, 'positions', positions, [queries + frames - 1, width]);
  if (mask) requireMask(operation, mask, batch, frames);

  const input = contiguous(queryKeyValue);
  const table = contiguous(positions);
  const u = vectorOf(operation, 'biasU', biasU, width);
  const v = vectorOf(operation, 'biasV', biasV, width);
  const output = empty([batch, queries, width]);
  const map = keepMap ? empty([batch, heads, queries, frames]) : null;
  const kernel = kernelOf(relativeAttentionVariants);
  for (let b = 0; b < batch; b++) {
    const from = input.offset + b * frames * packed;
    kernel(
      { frames: queries, keys: frames, heads, headSize, scale },
      input.data,
      from + (frames - queries) * packed,
      packed,
      input.data,
      from + headSize,
      packed,
      input.data,
      from + 2 * headSize,
      packed,
      3 * headSize,
      table.data,
      table.offset,
      width,
      u.data,
      u.offset,
      v.data,
      v.offset,
      null,
      0,
      0,
      mask?.data ?? null,
      mask ? mask.offset + b * mask.stride[0]! : 0,
      map?.data ?? null,
      (map?.offset ?? 0) + b * heads * queries * frames,
      queries * frames,
      frames,
      output.data,
      output.offset + b * queries * width,
      width,
    );
  }
  return { output, map };
}
