/** The cloud's side of a quantiser: indices to vectors. It packs nothing for a search, and needs no kernel. */
import { requireRank } from '../ops/shapes.js';
import { flat, type NdArray, ShapeError, type Tensor, UsageError, zeros } from '../tensor/index.js';
import type { VectorTable } from './vector-quantizer.js';

/** Codebooks of residual quantisers side by side; stage s of group g is stage s · groups + g of the whole. */
export class CodewordTable implements VectorTable {
  /** Stages of all groups together. */
  private readonly stages: number;
  private readonly codewords: number;
  private readonly groupWidth: number;
  private readonly books: Float32Array;

  /** `codebooks` is [stages · groups, codewords, width / groups]. */
  constructor(
    codebooks: Tensor,
    private readonly groups = 1,
  ) {
    requireRank('CodewordTable', 'codebooks', codebooks, 3, '[stages · groups, codewords, width / groups]');
    [this.stages, this.codewords, this.groupWidth] = codebooks.shape as [number, number, number];
    if (!Number.isInteger(groups) || groups < 1 || this.stages % groups !== 0) {
      throw new ShapeError(`CodewordTable: ${this.stages} codebooks do not divide into ${groups} groups`);
    }
    this.books = flat(codebooks);
  }

  /**
   * Vectors [count, width]: in each group the sums of the codewords that indices [count, stages · groups] name; -1 in a later
   * stage names none.
   */
  lookUp(indices: NdArray<Int32Array>): Tensor {
    const { groups, groupWidth, codewords } = this;
    const [count, stages] = indices.shape as [number, number];
    if (indices.shape.length !== 2 || stages > this.stages || stages % groups !== 0) {
      const most = this.stages / groups;
      throw new ShapeError(
        `lookUp: indices have shape [${indices.shape.join(', ')}], expected [count, stages · ${groups}] of at most ${most} stages`,
      );
    }
    const out = zeros([count, groups * groupWidth]);
    for (let n = 0; n < count; n++) {
      for (let s = 0; s < stages; s++) {
        const index = indices.data[indices.offset + n * indices.stride[0]! + s * indices.stride[1]!]!;
        // Only the first codebook must have been sent.
        if (index === -1 && s >= groups) continue;
        if (index < 0 || index >= codewords) {
          throw new UsageError(`lookUp: index ${index} of stage ${s} names no codeword of ${codewords}`);
        }
        const word = (s * codewords + index) * groupWidth;
        const to = (n * groups + (s % groups)) * groupWidth;
        for (let d = 0; d < groupWidth; d++) out.data[to + d]! += this.books[word + d]!;
      }
    }
    return out;
  }
}
