/**
 * Codewords that nobody chooses get the place of a vector (Zeghidour et al. 2021): the batch's own, that its passes offered.
 *
 * What passes report is summed over shards, so an offer lies in a slot of its own: each pass draws half of the slots at
 * random, and a slot that two passes drew, which its count shows, holds a sum that nobody uses.
 */
import { flat, type Tensor, zeros } from '../../tensor/index.js';

/** Vectors that were offered. */
export interface Candidates {
  /** What each stage began with, for a vector in each slot: [slots · K · width]. */
  readonly vectors: ArrayLike<number>;
  /** Passes that wrote to each slot. */
  readonly counts: ArrayLike<number>;
}

/** Offers vectors from what each stage begins with, K tensors [n, width]: at most half of the slots. */
export function offerCandidates(
  residuals: readonly Tensor[],
  slots: number,
  random: () => number,
): Candidates & { readonly vectors: Float64Array; readonly counts: Float64Array } {
  const [rows, width] = residuals[0]!.shape as [number, number];
  const stages = residuals.length;
  const vectors = new Float64Array(slots * stages * width);
  const counts = new Float64Array(slots);
  const free = Array.from({ length: slots }, (_, i) => i);
  for (let i = 0; i < Math.ceil(slots / 2) && rows > 0; i++) {
    const drawn = i + Math.floor(random() * (slots - i));
    const slot = free[drawn]!;
    free[drawn] = free[i]!;
    counts[slot] = 1;
    const n = Math.floor(random() * rows);
    residuals.forEach((x, s) => {
      const row = flat(x).subarray(n * width, (n + 1) * width);
      vectors.set(row, (slot * stages + s) * width);
    });
  }
  return { vectors, counts };
}

export interface Revival {
  readonly codebooks: Tensor;
  readonly counts: Tensor;
  readonly sums: Tensor | null;
  /** Codewords that were moved. */
  readonly revived: number;
}

/**
 * Gives every codeword with a share of less than `threshold` / V of its codebook's uses the place of a candidate, as long as
 * there are any, and the count of one that is used as much as all others. `codebooks` [K · groups, V, width / groups],
 * `counts` [K · groups, V], `sums` of the shape of the codebooks or null; a threshold of 0 revives none.
 */
export function reviveCodewords(
  before: { readonly codebooks: Tensor; readonly counts: Tensor; readonly sums: Tensor | null },
  candidates: Candidates,
  { threshold, groups }: { readonly threshold: number; readonly groups: number },
  random: () => number,
): Revival {
  const [books, codewords, width] = before.codebooks.shape as [number, number, number];
  const stages = books / groups;
  const codebooks = copyOf(before.codebooks);
  const counts = copyOf(before.counts);
  const sums = before.sums === null ? null : copyOf(before.sums);
  const slots = Array.from({ length: candidates.counts.length }, (_, i) => i).filter(
    (i) => candidates.counts[i] === 1,
  );
  let revived = 0;
  for (let b = 0; b < books; b++) {
    const used = counts.data.subarray(b * codewords, (b + 1) * codewords);
    const total = used.reduce((sum, n) => sum + n, 0);
    const dead = Array.from(used.keys()).filter((v) => used[v]! < (threshold * total) / codewords);
    const free = [...slots];
    const [stage, group] = [Math.floor(b / groups), b % groups];
    while (dead.length > 0 && free.length > 0) {
      const v = take(dead, random);
      const from = (take(free, random) * stages + stage) * groups * width + group * width;
      const to = (b * codewords + v) * width;
      const share = total / codewords;
      used[v] = share;
      for (let d = 0; d < width; d++) {
        codebooks.data[to + d] = candidates.vectors[from + d]!;
        if (sums !== null) sums.data[to + d] = share * candidates.vectors[from + d]!;
      }
      revived++;
    }
  }
  return { codebooks, counts, sums, revived };
}

/** Takes one out of a list, each alike. */
function take(list: number[], random: () => number): number {
  const at = Math.floor(random() * list.length);
  const taken = list[at]!;
  list[at] = list[list.length - 1]!;
  list.pop();
  return taken;
}

function copyOf(x: Tensor): Tensor {
  const copy = zeros(x.shape);
  copy.data.set(flat(x));
  return copy;
}
