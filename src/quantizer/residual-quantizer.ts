/** Residual vector quantisation: each stage codes what the stages before it left. */
import { type Codebooks, nearestCodewordsPacked, packCodebooks } from '../ops/nearest-codeword.js';
import { requireRank } from '../ops/shapes.js';
import { flat, type NdArray, type Tensor } from '../tensor/index.js';
import { CodewordTable } from './codeword-table.js';

export class ResidualQuantizer {
  readonly stages: number;
  readonly codewords: number;
  readonly width: number;
  private readonly table: CodewordTable;
  private readonly packed: Codebooks;

  /** `codebooks` is [stages, codewords, width]. */
  constructor(readonly codebooks: Tensor) {
    requireRank('ResidualQuantizer', 'codebooks', codebooks, 3, '[stages, codewords, width]');
    [this.stages, this.codewords, this.width] = codebooks.shape as [number, number, number];
    this.table = new CodewordTable(codebooks);
    this.packed = packCodebooks(codebooks);
  }

  /** Indices [count, stages] of vectors [count, width] by the first `stages` codebooks. */
  encode(x: Tensor, stages = this.stages): NdArray<Int32Array> {
    return nearestCodewordsPacked(x, this.packed, stages).indices;
  }

  /** Sums of the codewords that indices [count, stages <= K] name: [count, width]. */
  lookUp(indices: NdArray<Int32Array>): Tensor {
    return this.table.lookUp(indices);
  }

  /** Mean squared error per element that the first `stages` codebooks leave of vectors [count, width]. */
  distortion(x: Tensor, stages = this.stages): number {
    const residual = flat(nearestCodewordsPacked(x, this.packed, stages).residual);
    let sum = 0;
    for (const r of residual) sum += r * r;
    return residual.length === 0 ? 0 : sum / residual.length;
  }
}
