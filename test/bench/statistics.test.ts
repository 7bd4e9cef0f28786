import t from 'tap';
import { measure } from '../../bench/measure.js';
import { median, medianRatio, quantile, shuffled, summarize } from '../../bench/statistics.js';
import { createRandom } from '../../src/tensor/index.js';

t.test('quantiles', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.equal(quantile([10, 20, 30, 40, 50], 0.25), 20);
  t.equal(quantile([0, 1], 0.75), 0.75);
  t.ok(Number.isNaN(median([])));
  const values = [3, 1, 2];
  median(values);
  t.same(values, [3, 1, 2], 'the samples stay in their order');
});

t.test('a summary', async (t) => {
  t.same(summarize([5, 1, 2, 4, 3]), { best: 1, median: 3, spread: 1 / 3, samples: 5 });
  t.same(summarize([2]), { best: 2, median: 2, spread: 0, samples: 1 });
});

t.test('the ratio is of rounds, not of medians', async (t) => {
  // The machine is at half its speed in the second and third rounds, for both.
  t.equal(medianRatio([3, 6, 6], [1, 2, 2]), 3);
  t.equal(medianRatio([3, Number.NaN, 5], [1, 2, 1]), 4, 'rounds that were not run do not count');
  t.ok(Number.isNaN(medianRatio([], [])));
});

t.test('a shuffle holds every item once, and is the same for the same seed', async (t) => {
  const items = [1, 2, 3, 4, 5, 6];
  const order = shuffled(items, createRandom(1));
  t.same([...order].sort(), items);
  t.same(order, shuffled(items, createRandom(1)));
  t.not(
    shuffled(items, createRandom(1)).join() + shuffled(items, createRandom(2)).join(),
    items.join() + items.join(),
  );
});

t.test('work is timed whether it returns or promises', async (t) => {
  let runs = 0;
  const busy = () => {
    runs++;
    const until = performance.now() + 1;
    while (performance.now() < until);
  };
  const { median: seconds } = await measure(busy, 0.05);
  t.ok(seconds >= 1e-3 && seconds < 0.1 && runs > 7);
  const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 2));
  const waited = await measure(wait, 0.05);
  t.ok(waited.median >= 1e-3 && waited.samples > 1);
  await t.rejects(
    measure(() => Promise.reject(new Error('broken'))),
    { message: 'broken' },
  );
  let calls = 0;
  const later = () => (calls++ > 3 ? Promise.reject(new Error('broken later')) : Promise.resolve());
  await t.rejects(measure(later, 0.05), { message: 'broken later' });
});
