/**
 * A codeword as binary decisions: the path from the root of a complete binary tree to its leaf. Node 1 is the root, 2n and
 * 2n + 1 are below node n, leaves are the nodes from 2^depth on. The leaf of a codeword has its number, or what an order says.
 */
export const depthOf = (codewords: number): number => Math.ceil(Math.log2(codewords));

/** Sums of what is given for each leaf, in every node over it: [2 · leaves]. */
export function sumsOverTree(leaves: ArrayLike<number>, depth: number): Float64Array {
  const sums = new Float64Array(2 << depth);
  for (let i = 0; i < leaves.length; i++) sums[(1 << depth) + i] = leaves[i]!;
  for (let node = (1 << depth) - 1; node > 0; node--) sums[node] = sums[2 * node]! + sums[2 * node + 1]!;
  return sums;
}
