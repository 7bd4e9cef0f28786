/**
 * Codebooks that follow exponential moving averages of the vectors that chose each codeword, rather than a gradient
 * (van den Oord et al. 2017, appendix A.1).
 */
import { flat, type Tensor, zeros } from '../../tensor/index.js';

/** What follows. All new each time: nothing here is written to. */
export interface CodebookAverages {
  /** [K · groups, V, width / groups] */
  readonly codebooks: Tensor;
  /** N: average share of a batch's vectors that chose each codeword, [K · groups, V]. */
  readonly counts: Tensor;
  /** m: average sum of those vectors, over the vectors of the batch; of the shape of the codebooks. */
  readonly sums: Tensor;
}

/** What one batch says, summed over its shards. */
export interface BatchUse {
  /** Vectors that chose each codeword, [K · groups · V]. */
  readonly counts: ArrayLike<number>;
  /** Sums of those vectors, [K · groups · V · width / groups]. */
  readonly sums: ArrayLike<number>;
}

export interface AverageOptions {
  /** γ: what of the averages stays at each step; default 0.99. */
  readonly decay?: number;
  /** ε of Laplace smoothing, in uses of a whole batch; default 1e-5. */
  readonly epsilon?: number;
}

/** Vectors of the batch: every codebook's counts add up to it. */
const vectorsOf = (counts: ArrayLike<number>, codewords: number): number => {
  let total = 0;
  for (let v = 0; v < codewords; v++) total += counts[v]!;
  return total;
};

/** γ N + (1 - γ) n / vectors. A batch without vectors changes nothing. */
export function followCounts(
  counts: Tensor,
  used: ArrayLike<number>,
  { decay = 0.99 }: AverageOptions,
): Tensor {
  return average(counts, used, vectorsOf(used, counts.shape[1]!), decay);
}

function average(before: Tensor, batch: ArrayLike<number>, vectors: number, decay: number): Tensor {
  const next = zeros(before.shape);
  const old = flat(before);
  const share = vectors > 0 ? (1 - decay) / vectors : 0;
  const kept = vectors > 0 ? decay : 1;
  for (let i = 0; i < old.length; i++) next.data[i] = kept * old[i]! + share * batch[i]!;
  return next;
}

/**
 *   N ← γ N + (1 - γ) n / vectors,  m ← γ m + (1 - γ) Σ x / vectors
 *   codeword v = m_v / N̂_v,  N̂_v = (N_v + ε) / (Σ N + V ε) · Σ N
 *
 * Counts are shares of the batch, so that its size does not matter. A codeword that never had a vector stays where it is.
 */
export function followAverages(
  before: CodebookAverages,
  batch: BatchUse,
  options: AverageOptions,
): CodebookAverages {
  const { decay = 0.99, epsilon = 1e-5 } = options;
  const [books, codewords, width] = before.codebooks.shape as [number, number, number];
  const vectors = vectorsOf(batch.counts, codewords);
  const counts = followCounts(before.counts, batch.counts, options);
  const sums = average(before.sums, batch.sums, vectors, decay);
  const codebooks = zeros(before.codebooks.shape);
  codebooks.data.set(flat(before.codebooks));
  for (let b = 0; b < books; b++) {
    const row = counts.data.subarray(b * codewords, (b + 1) * codewords);
    const total = row.reduce((sum, n) => sum + n, 0);
    for (let v = 0; v < codewords; v++) {
      if (row[v] === 0) continue;
      const smoothed = ((row[v]! + epsilon) / (total + codewords * epsilon)) * total;
      const from = (b * codewords + v) * width;
      for (let i = from; i < from + width; i++) codebooks.data[i] = sums.data[i]! / smoothed;
    }
  }
  return { codebooks, counts, sums };
}
