import fc from 'fast-check';
import t from 'tap';
import { createRandom, flat, ShapeError, UsageError } from '../../src/tensor/index.js';
import { drawMixup, mixTargets, oneHot, smoothTargets } from '../../src/training/targets.js';

t.test('targets are distributions, whatever is done to them', async () => {
  const cases = fc.record({
    labels: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 20 }),
    smoothing: fc.double({ min: 0, max: 1, noNaN: true }),
    alpha: fc.double({ min: 0, max: 2, noNaN: true }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(cases, ({ labels, smoothing, alpha, seed }) => {
      const mixup = drawMixup(labels.length, alpha, createRandom(seed));
      const targets = mixTargets(smoothTargets(oneHot(labels, 6), smoothing), mixup);
      return labels.every((_, n) => {
        const row = [...flat(targets.pick(n, null))];
        return row.every((q) => q >= 0) && Math.abs(row.reduce((sum, q) => sum + q, 0) - 1) < 1e-5;
      });
    }),
  );
});

t.test('a mixture is of the item and its partner', async (t) => {
  const mixed = mixTargets(oneHot([0, 2], 3), { partners: [1, 0], weights: [0.75, 0.5] });
  t.same([...mixed.data], [0.75, 0, 0.25, 0.5, 0, 0.5]);
  t.same([...smoothTargets(oneHot([1], 4), 0.5).data], [0.125, 0.625, 0.125, 0.125]);
});

t.test('weights follow Beta(alpha, alpha)', async (t) => {
  for (const alpha of [0.01, 0.3, 1, 2]) {
    const { weights, partners } = drawMixup(20_000, alpha, createRandom(4));
    t.same([...partners].sort((a, b) => a - b)[19_999], 19_999, 'partners are an order');
    const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
    const variance = weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weights.length;
    t.ok(Math.abs(mean - 0.5) < 0.015, `mean ${mean}`);
    const right = 1 / (4 * (2 * alpha + 1));
    t.ok(Math.abs(variance / right - 1) < 0.04, `alpha ${alpha}: variance ${variance}, expected ${right}`);
  }
});

t.test('what makes no sense is refused', async (t) => {
  t.throws(() => oneHot([3], 3), UsageError);
  t.throws(() => drawMixup(2, -1, Math.random), UsageError);
  t.throws(() => smoothTargets(oneHot([1], 2), 2), UsageError);
  t.throws(() => mixTargets(oneHot([1], 2), { partners: [0, 1], weights: [1, 1] }), ShapeError);
  t.throws(() => mixTargets(oneHot([1], 2), { partners: [1], weights: [1] }), UsageError);
});
