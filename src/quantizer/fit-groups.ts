/** Codebooks of several groups from data; see grouped-quantizer.ts. */
import { type Tensor, zeros } from '../tensor/index.js';
import { type FitOptions, fitQuantizer } from './fit.js';

/**
 * Codebooks [stages · groups, codewords, width / groups] from vectors [count, width], fitted to each group by itself.
 * `onRound` numbers the stages of all groups, one group after another.
 */
export function fitGroups(vectors: Tensor, groups: number, options: FitOptions): Tensor {
  const { stages, codewords, seed = 1, onRound } = options;
  const [count, width] = vectors.shape as [number, number];
  const groupWidth = width / groups;
  const size = codewords * groupWidth;
  const books = zeros([stages * groups, codewords, groupWidth]);
  for (let g = 0; g < groups; g++) {
    const fitted = fitQuantizer(vectors.lo(0, g * groupWidth).hi(count, groupWidth), {
      ...options,
      seed: seed + g,
      onRound: (stage, round, distortion) => onRound?.(g * stages + stage, round, distortion),
    }).codebooks;
    for (let s = 0; s < stages; s++) {
      books.data.set(fitted.data.subarray(s * size, (s + 1) * size), (s * groups + g) * size);
    }
  }
  return books;
}
