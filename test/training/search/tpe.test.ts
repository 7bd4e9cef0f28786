/** The Parzen estimator: better than chance where there is something to learn, and the same again from the same numbers. */
import fc from 'fast-check';
import t from 'tap';
import { createRandom } from '../../../src/tensor/index.js';
import { type Observation, proposePoint, type Space } from '../../../src/training/search/index.js';
import { windowsOf } from '../../../src/training/search/parzen.js';

const SPACE = {
  layers: { kind: 'choice', values: [1, 2, 3, 4, 5, 6] },
  rate: { kind: 'real', low: 1e-5, high: 1e-1, logarithmic: true },
  beta: { kind: 'real', low: 0, high: 4 },
} as const satisfies Space;

/** Least at 3 layers, a rate of 10^-3, beta 1. */
const lossAt = ({ layers, rate, beta }: { layers: number; rate: number; beta: number }): number =>
  Math.abs(layers - 3) * 0.5 + (Math.log10(rate) + 3) ** 2 + (beta - 1) ** 2;

function search(seed: number, trials: number, startup: number): number {
  const random = createRandom(seed);
  const tried: Observation<typeof SPACE>[] = [];
  for (let n = 0; n < trials; n++) {
    const point = proposePoint(SPACE, tried, random, { startup });
    tried.push({ point, loss: lossAt(point) });
  }
  return Math.min(...tried.map(({ loss }) => loss));
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

t.test('finds better points than chance in as many trials', async (t) => {
  const seeds = Array.from({ length: 25 }, (_, seed) => seed + 1);
  const learned = median(seeds.map((seed) => search(seed, 40, 8)));
  const drawn = median(seeds.map((seed) => search(seed, 40, Infinity)));
  t.ok(learned < drawn / 2, `${learned} after 40 trials, ${drawn} by chance`);
});

t.test('points lie in their space, and come again', async (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.double({ noNaN: false }), { maxLength: 30 }), (seed, losses) => {
      const [a, b] = [createRandom(seed), createRandom(seed)];
      const tried: Observation<typeof SPACE>[] = [];
      for (const loss of losses) {
        const point = proposePoint(SPACE, tried, a);
        t.same(proposePoint(SPACE, tried, b), point);
        const { layers, rate, beta } = point;
        if (!SPACE.layers.values.some((each) => each === layers)) return false;
        if (!(rate >= 1e-5 && rate <= 1e-1 && beta >= 0 && beta <= 4)) return false;
        tried.push({ point, loss });
      }
      return true;
    }),
    { numRuns: 50 },
  );
});

t.test('a density of windows is one: it adds up to 1, and draws follow it', async (t) => {
  const density = windowsOf([0.1, 0.12, 0.8]);
  const steps = 20_000;
  let [whole, low] = [0, 0];
  for (let i = 0; i < steps; i++) {
    const mass = Math.exp(density.logarithm((i + 0.5) / steps)) / steps;
    whole += mass;
    if (i < steps / 4) low += mass;
  }
  t.ok(Math.abs(whole - 1) < 1e-4, `${whole}`);
  const random = createRandom(5);
  const drawn = Array.from({ length: 20_000 }, () => density.draw(random));
  const below = drawn.filter((value) => value < 0.25).length / drawn.length;
  t.ok(Math.abs(below - low) < 0.015, `${below} drawn below a quarter, ${low} by the density`);
});

t.test('what makes no sense is refused', async (t) => {
  const random = createRandom(1);
  t.throws(() => proposePoint({ a: { kind: 'choice', values: [] } }, [], random), { code: 'ACOM_USAGE' });
  t.throws(() => proposePoint({ a: { kind: 'real', low: 2, high: 1 } }, [], random), { code: 'ACOM_USAGE' });
  t.throws(() => proposePoint({ a: { kind: 'real', low: 0, high: 1, logarithmic: true } }, [], random), {
    code: 'ACOM_USAGE',
  });
  const outside = { point: { layers: 9, rate: 1e-3, beta: 1 }, loss: 1 };
  t.throws(() => proposePoint(SPACE, [outside], random), /layers was 9/);
});
