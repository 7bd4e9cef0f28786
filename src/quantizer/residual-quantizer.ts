/** Residual vector quantisation: each stage codes what the stages before it left. */
import { type Codebooks, nearestCodewordsPacked, packCodebooks } from '../ops/nearest-codeword.js';
import { requireRank } from '../ops/shapes.js';
import { flat, type NdArray, ShapeError, type Tensor, UsageError, zeros } from '../tensor/index.js';

export class ResidualQuantizer {
  readonly stages: number;
  readonly codewords: number;
  readonly width: number;
  private readonly books: Float32Array;
  private readonly packed: Codebooks;

  /** `codebooks` is [stages, codewords, width]. */
  constructor(readonly codebooks: Tensor) {
    requireRank('ResidualQuantizer', 'codebooks', codebooks, 3, '[stages, codewords, width]');
    [this.stages, this.codewords, this.width] = codebooks.shape as [number, number, number];
    this.books = flat(codebooks);
    this.packed = packCodebooks(codebooks);
  }

  /** Indices [count, stages] of vectors [count, width] by the first `stages` codebooks. */
  encode(x: Tensor, stages = this.stages): NdArray<Int32Array> {
    return nearestCodewordsPacked(x, this.packed, stages).indices;
  }

  /** Sums of the codewords that indices [count, stages <= K] name: [count, width]. */
  lookUp(indices: NdArray<Int32Array>): Tensor {
    const [count, stages] = indices.shape as [number, number];
    if (indices.shape.length !== 2 || stages > this.stages) {
      throw new ShapeError(
        `lookUp: indices have shape [${indices.shape.join(', ')}], expected [count, at most ${this.stages}]`,
      );
    }
    const out = zeros([count, this.width]);
    for (let n = 0; n < count; n++) {
      for (let s = 0; s < stages; s++) {
        const index = indices.data[indices.offset + n * indices.stride[0]! + s * indices.stride[1]!]!;
        if (index < 0 || index >= this.codewords) {
          throw new UsageError(`lookUp: index ${index} of stage ${s} names no codeword of ${this.codewords}`);
        }
        const word = (s * this.codewords + index) * this.width;
        for (let d = 0; d < this.width; d++) out.data[n * this.width + d]! += this.books[word + d]!;
      }
    }
    return out;
  }

  /** Mean squared error per element that the first `stages` codebooks leave of vectors [count, width]. */
  distortion(x: Tensor, stages = this.stages): number {
    const residual = flat(nearestCodewordsPacked(x, this.packed, stages).residual);
    let sum = 0;
    for (const r of residual) sum += r * r;
    return residual.length === 0 ? 0 : sum / residual.length;
  }
}
