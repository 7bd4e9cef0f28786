/** The encoder's choice of codewords, in training. */
import { gatherRows, type Variable } from '../../autograd/index.js';
import { nearestCodewords } from '../../ops/index.js';
import { interleaveGroups } from '../../quantizer/index.js';
import type { NdArray, Tensor } from '../../tensor/index.js';

/** Indices [n, K · groups] of vectors [n, width] by all codebooks [K · groups, V, width / groups]: what an encoder sends. */
export function searchCodewords(vectors: Tensor, codebooks: Tensor, groups: number): NdArray<Int32Array> {
  const count = vectors.shape[0]!;
  const [books, , groupWidth] = codebooks.shape as [number, number, number];
  const stages = books / groups;
  const parts = Array.from({ length: groups }, (_, g) => {
    const part = groups === 1 ? vectors : vectors.lo(0, g * groupWidth).hi(count, groupWidth);
    const own = groups === 1 ? codebooks : codebooks.lo(g, 0, 0).step(groups, 1, 1);
    return nearestCodewords(part, own, stages).indices;
  });
  return interleaveGroups(parts, stages);
}

/** The codewords that indices [n, K · groups] name, all vectors' first stages first: [K · n, width]. */
export function pickCodewords(indices: NdArray<Int32Array>, codebooks: Variable, groups: number): Variable {
  const [count, books] = indices.shape as [number, number];
  const [, codewords, groupWidth] = codebooks.shape as [number, number, number];
  const stages = books / groups;
  const rows = new Int32Array(count * books);
  for (let s = 0, to = 0; s < stages; s++) {
    for (let n = 0; n < count; n++) {
      for (let g = 0; g < groups; g++, to++) {
        const book = s * groups + g;
        rows[to] = book * codewords + indices.data[n * books + book]!;
      }
    }
  }
  return gatherRows(codebooks, rows, [stages * count, groups * groupWidth]);
}
