/** The loop that measures the machine's limit computes what it says it does: its time is that of real work. */
import '../support/relaxed.js';
import t from 'tap';
import { expectedValue, measurePeak, PEAK_SHAPES, type PeakName, peakVariants } from '../../bench/peak.js';

for (const variant of peakVariants) {
  const unavailable = variant.available();
  t.test(`peak, ${variant.name}`, { skip: unavailable === true ? false : unavailable }, async (t) => {
    const peak = variant.load();
    for (const shape of PEAK_SHAPES) {
      const sums = peak(shape, 5);
      t.equal(sums.length, 4 * shape.chains);
      const expected = (i: number) => expectedValue(i >> 2, i & 3, 5 * shape.unroll);
      const off = Array.from(sums, (sum, i) => Math.abs(sum - expected(i)));
      // A fused multiply-add rounds once where the formula here rounds twice.
      const allowed = variant.name === 'relaxed' ? 2e-6 : 0;
      t.ok(Math.max(...off) <= allowed, `${shape.chains} chains, unrolled ${shape.unroll} times`);
    }
    const found = measurePeak(variant.name as PeakName, 3);
    t.ok(found !== null && found > 1e8 && found < 1e13, `${((found ?? 0) / 1e9).toFixed(1)} GFLOP/s`);
  });
}
