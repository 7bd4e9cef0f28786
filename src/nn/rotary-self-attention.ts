import { attention, rotatePositions } from '../ops/attention.js';
import { type LinearWeights, linearPacked, packLinear } from '../ops/matmul.js';
import type { PaddingMask } from '../ops/padding-mask.js';
import { type Tensor, view, zeros } from '../tensor/index.js';
import { Linear } from './linear.js';
import type { Parameters } from './parameters.js';

/**
 * The table of rotary positions, [frames, 2 · headSize]: for each frame t the cosines of the angles t · 10000^(-2i / headSize),
 * that of pair i twice, and their sines likewise, the first of each two negative.
 */
export function rotaryTable(frames: number, headSize: number): Tensor {
  const table = zeros([frames, 2 * headSize]);
  for (let i = 0; 2 * i < headSize; i++) {
    const frequency = 10000 ** ((-2 * i) / headSize);
    for (let t = 0; t < frames; t++) {
      const [cosine, sine] = [Math.cos(t * frequency), Math.sin(t * frequency)];
      const row = 2 * t * headSize + 2 * i;
      table.data[row] = cosine;
      table.data[row + 1] = cosine;
      table.data[row + headSize] = -sine;
      table.data[row + headSize + 1] = sine;
    }
  }
  return table;
}

/**
 * Self-attention with rotary positions: SpeechBrain's RoPEMHA. Scores are divided by the root of the model width, not of the
 * head's.
 */
export class RotarySelfAttention {
  readonly inWeight: Tensor;
  readonly out: Linear;
  private inWeights: LinearWeights | null = null;

  constructor(
    parameters: Parameters,
    readonly width: number,
    readonly heads: number,
  ) {
    this.inWeight = parameters.get('in_proj_weight', [3 * width, width]);
    this.out = new Linear(parameters.scope('out_proj'), width, width);
  }

  /** x [batch, frames, width], the table of its length; gives [batch, frames, width]. */
  forward(x: Tensor, table: Tensor, mask?: PaddingMask): Tensor {
    return this.attend(x, table, mask, false).output;
  }

  /** The same with the attention map [batch, heads, frames, frames], for study and tests. */
  attend(
    x: Tensor,
    table: Tensor,
    mask: PaddingMask | undefined,
    keepMap: boolean,
  ): { readonly output: Tensor; readonly map: Tensor | null } {
    this.inWeights ??= packLinear(this.inWeight, null);
    const [batch, frames] = x.shape as [number, number, number];
    const packed = linearPacked(x, this.inWeights);
    // Head h has its query, key and value side by side.
    const size = this.width / this.heads;
    const part = (which: number): Tensor =>
      view(
        packed.data,
        [batch, frames, this.heads, size],
        [3 * this.width * frames, 3 * this.width, 3 * size, 1],
        packed.offset + which * size,
      );
    const [query, key, value] = [part(0), part(1), part(2)];
    rotatePositions(query, table);
    rotatePositions(key, table);
    const { output, map } = attention({ query, key, value, scale: 1 / Math.sqrt(this.width), mask, keepMap });
    return { output: this.out.forward(output), map };
  }
}
