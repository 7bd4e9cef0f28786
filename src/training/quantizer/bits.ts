/** What an order-0 entropy coder would charge for each codeword: its tables are one for each codebook, see ../../entropy. */
import { flat, type Tensor, zeros } from '../../tensor/index.js';

/** Part of all uses that is shared out over codewords as if it had been counted: no codeword then costs without bound. */
const PRIOR = 0.01;

/** -log2 P(v) [K · groups, V] from how often codewords were used [K · groups, V], in any unit; uniform before any was. */
export function codewordBits(counts: Tensor): Tensor {
  const [books, codewords] = counts.shape as [number, number];
  const bits = zeros([books, codewords]);
  const used = flat(counts);
  for (let b = 0; b < books; b++) {
    const row = used.subarray(b * codewords, (b + 1) * codewords);
    const total = row.reduce((sum, n) => sum + n, 0);
    row.forEach((n, v) => {
      const seen = total > 0 ? n / total : 1 / codewords;
      bits.data[b * codewords + v] = -Math.log2((seen + PRIOR / codewords) / (1 + PRIOR));
    });
  }
  return bits;
}
