/** How the codewords of a quantiser are used: what the entropy coder can save, and what is wasted. */
import type { NdArray } from '../tensor/index.js';

export interface StageUsage {
  /** Times each codeword was chosen. */
  readonly counts: Int32Array;
  /** Codewords chosen at least once. */
  readonly used: number;
  /** -Σ p log2 p of the relative frequencies, in bits. */
  readonly entropyBits: number;
  /** 2^entropy: the number of equally used codewords that would carry as much. */
  readonly perplexity: number;
}

/** -Σ p log2 p of relative frequencies counts / Σ counts. */
export function entropyOfCounts(counts: ArrayLike<number>): number {
  let total = 0;
  for (let v = 0; v < counts.length; v++) total += counts[v]!;
  let bits = 0;
  for (let v = 0; v < counts.length; v++) {
    const p = counts[v]! / total;
    if (p > 0) bits -= p * Math.log2(p);
  }
  return bits;
}

/** Usage per stage of indices [count, stages] over `codewords` codewords. */
export function codewordUsage(indices: NdArray<Int32Array>, codewords: number): StageUsage[] {
  const [count, stages] = indices.shape as [number, number];
  return Array.from({ length: stages }, (_, s) => {
    const counts = new Int32Array(codewords);
    for (let n = 0; n < count; n++) {
      counts[indices.data[indices.offset + n * indices.stride[0]! + s * indices.stride[1]!]!]!++;
    }
    const entropyBits = entropyOfCounts(counts);
    const used = counts.reduce((sum, n) => sum + (n > 0 ? 1 : 0), 0);
    return { counts, used, entropyBits, perplexity: 2 ** entropyBits };
  });
}
