/** Labels from probabilities, and accuracy with Wilson's interval against published values. */
import fc from 'fast-check';
import t from 'tap';
import { accuracyOf, meanProbabilities, rankClasses } from '../../src/tasks/index.js';

t.test('probabilities of clips are averaged, not their logarithms', async (t) => {
  const clips = [
    [0.9, 0.1, 0],
    [0.3, 0.3, 0.4],
    [0.3, 0.2, 0.5],
  ].map((probabilities) => Float32Array.from(probabilities, Math.log));
  const mean = meanProbabilities(clips);
  [0.5, 0.2, 0.3].forEach((expected, c) => {
    t.ok(Math.abs(mean[c]! - expected) < 1e-7, `class ${c}: ${mean[c]}`);
  });
  t.same([...meanProbabilities([Float32Array.from([0, Number.NEGATIVE_INFINITY])])], [1, 0]);
});

t.test('classes in order, of equals the lowest first', async (t) => {
  t.same(
    rankClasses([0.1, 0.3, 0.2, 0.3, 0.1], ['a', 'b', 'c', 'd']).map(({ label }) => label),
    ['b', 'd', 'c', 'a', '<4>'],
  );
  const property = fc.property(
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }),
    (values) => {
      const labels = values.map((_, c) => String(c));
      const ranked = rankClasses(values, labels);
      return (
        ranked
          .map(({ label }) => Number(label))
          .sort((a, b) => a - b)
          .join() === labels.join() &&
        ranked.every(({ label, probability }, i) => {
          const before = ranked[i - 1];
          if (probability !== values[Number(label)]) return false;
          if (before === undefined || before.probability > probability) return true;
          return before.probability === probability && Number(before.label) < Number(label);
        })
      );
    },
  );
  fc.assert(property, { seed: 1 });
  t.pass();
});

t.test("Wilson's interval against published values", async (t) => {
  // Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score, without continuity correction).
  const published: [right: number, total: number, low: number, high: number][] = [
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
    // Brown, Cai and DasGupta 2001 and every table of the binomial: 8 of 10.
    [8, 10, 0.4902, 0.9433],
  ];
  for (const [right, total, low, high] of published) {
    const { rate, interval } = accuracyOf(right, total);
    t.equal(rate, right / total);
    t.ok(Math.abs(interval[0] - low) < 1e-4, `${right} of ${total}: from ${interval[0]}, published ${low}`);
    t.ok(Math.abs(interval[1] - high) < 1e-4, `${right} of ${total}: to ${interval[1]}, published ${high}`);
  }
  t.same(accuracyOf(0, 0), { right: 0, total: 0, rate: 0, interval: [0, 1] });
});

t.test('the interval holds the rate, is symmetric, and shrinks', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 1e6 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (total, part) => {
      const right = Math.round(part * total);
      const { rate, interval } = accuracyOf(right, total);
      const [low, high] = interval;
      const mirrored = accuracyOf(total - right, total).interval;
      const larger = accuracyOf(10 * right, 10 * total).interval;
      return (
        low >= 0 &&
        high <= 1 &&
        low <= rate + 1e-12 &&
        high >= rate - 1e-12 &&
        Math.abs(mirrored[0] - (1 - high)) < 1e-9 &&
        larger[1] - larger[0] < high - low
      );
    },
  );
  fc.assert(property, { seed: 2 });
  t.pass();
});
