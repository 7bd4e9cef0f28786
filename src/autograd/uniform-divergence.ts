import { requireRank } from '../ops/shapes.js';
import { empty, flat, view } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/**
 * How far rows of counts [rows, columns], none of them negative, are from uniform: the sum over the rows of
 *
 *   KL(p ‖ uniform) = Σ_v p_v log(p_v · columns),  p_v = counts_v / Σ counts
 *
 * in nats, 0 where all columns have the same and log(columns) where one has everything. A row without any count has none.
 *
 *   dcounts_v = (log p_v - Σ_u p_u log p_u) / Σ counts
 */
export function uniformDivergence(counts: Variable): Variable {
  requireRank('uniformDivergence', 'counts', counts.value, 2, '[rows, columns]');
  const [rows, columns] = counts.shape as [number, number];
  const numbers = flat(counts.value);
  const totals = new Float64Array(rows);
  /** Σ p log p of each row. */
  const negentropy = new Float64Array(rows);
  for (let r = 0; r < rows; r++) {
    const row = numbers.subarray(r * columns, (r + 1) * columns);
    for (const count of row) totals[r]! += count;
    for (const count of row) {
      const p = count / totals[r]!;
      if (p > 0) negentropy[r]! += p * Math.log(p);
    }
  }
  const sum = negentropy.reduce((s, each, r) => s + (totals[r]! > 0 ? each + Math.log(columns) : 0), 0);
  return record([counts], view(Float32Array.of(sum), [1]), (dy) => {
    const scale = flat(dy)[0]!;
    const dx = empty(counts.shape);
    const to = flat(dx).fill(0);
    for (let r = 0; r < rows; r++) {
      const total = totals[r]!;
      if (total === 0) continue;
      for (let i = r * columns; i < (r + 1) * columns; i++) {
        // The slope at 0 has no bound; that of the smallest float32 is steep enough.
        const p = Math.max(numbers[i]! / total, 1e-38);
        to[i] = (scale * (Math.log(p) - negentropy[r]!)) / total;
      }
    }
    counts.accumulate(dx);
  });
}
