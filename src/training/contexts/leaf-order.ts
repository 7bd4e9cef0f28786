/**
 * Leaves for codewords such that those that are alike are near each other in the tree: halves of equal number along the axis in
 * which they differ most, then halves of the halves. A node can then say something of all codewords below it.
 */
import { createRandom } from '../../tensor/index.js';

/** Steps of the power iteration: an axis that is nearly right splits as well. */
const STEPS = 30;

/** The leaf of each of `codewords` vectors of `width` numbers, in a tree of `depth`. */
export function leafOrder(
  vectors: Float32Array,
  codewords: number,
  width: number,
  depth: number,
): Int16Array {
  const leaves = new Int16Array(codewords);
  const split = (members: readonly number[], leaf: number, level: number): void => {
    if (members.length <= 1 || level === 0) {
      for (const v of members) leaves[v] = leaf;
      return;
    }
    const along = projections(members, vectors, width);
    const sorted = [...members].sort((a, b) => along.get(a)! - along.get(b)! || a - b);
    const half = Math.ceil(sorted.length / 2);
    split(sorted.slice(0, half), leaf, level - 1);
    split(sorted.slice(half), leaf + (1 << (level - 1)), level - 1);
  };
  split(
    Array.from({ length: codewords }, (_, v) => v),
    0,
    depth,
  );
  return leaves;
}

/** Where each member lies along the principal axis of all. */
function projections(members: readonly number[], vectors: Float32Array, width: number): Map<number, number> {
  const mean = new Float64Array(width);
  for (const v of members) {
    for (let d = 0; d < width; d++) mean[d]! += vectors[v * width + d]! / members.length;
  }
  const random = createRandom(1);
  let axis = Float64Array.from({ length: width }, () => random() - 0.5);
  const along = (v: number): number => {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += (vectors[v * width + d]! - mean[d]!) * axis[d]!;
    return sum;
  };
  for (let step = 0; step < STEPS; step++) {
    const next = new Float64Array(width);
    for (const v of members) {
      const at = along(v);
      for (let d = 0; d < width; d++) next[d]! += at * (vectors[v * width + d]! - mean[d]!);
    }
    const length = Math.hypot(...next);
    if (!(length > 0)) break;
    axis = next.map((value) => value / length);
  }
  return new Map(members.map((v) => [v, along(v)]));
}
