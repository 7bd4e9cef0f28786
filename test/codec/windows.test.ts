import fc from 'fast-check';
import t from 'tap';
import { WINDOW_SECONDS, WindowPlan, windowsOfChunks } from '../../src/codec/windows.js';

t.test('windows keep every vector once, with context on both sides', async (t) => {
  const property = fc.property(
    fc.integer({ min: 0, max: 5000 }),
    fc.constantFrom(12.5, 25, 6.25),
    (total, vectorsPerSecond) => {
      const plan = new WindowPlan(vectorsPerSecond);
      const context = Math.round(WINDOW_SECONDS.context * vectorsPerSecond);
      const whole = Math.round(WINDOW_SECONDS.whole * vectorsPerSecond);
      const windows = [...plan.all(total)];
      let kept = 0;
      for (const { start, from, to, end } of windows) {
        if (from !== kept || to <= from || end > total) return false;
        if (start !== Math.max(0, from - context)) return false;
        if (end !== to + context && end !== total) return false;
        kept = to;
      }
      return kept === total && (total > whole || total === 0 || windows.length === 1);
    },
  );
  fc.assert(property, { seed: 1, numRuns: 500 });
  t.pass();
});

t.test('windows of chunks keep every vector once, are whole chunks, and reach back far enough', async (t) => {
  const property = fc.property(
    fc.integer({ min: 0, max: 5000 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 0, max: 300 }),
    fc.constantFrom(0.5, 3.125, 25),
    (total, chunk, chunksBack, vectorsPerSecond) => {
      const reach = chunk * chunksBack;
      let [kept, run] = [0, 0];
      for (const { start, from, to, end } of windowsOfChunks(total, chunk, reach, vectorsPerSecond)) {
        if (from !== kept || to <= from || end !== to || start % chunk !== 0) return false;
        if (start !== 0 && from - start !== reach) return false;
        if (to < total && to % chunk !== 0) return false;
        kept = to;
        run += end - start;
      }
      return kept === total && run <= 1.25 * total;
    },
  );
  fc.assert(property, { seed: 1, numRuns: 500 });
  t.pass();
});

t.test('a stream that learns its length late makes the same plan', async (t) => {
  const property = fc.property(
    fc.integer({ min: 0, max: 3000 }),
    fc.array(fc.integer({ min: 1, max: 400 })),
    (total, steps) => {
      const plan = new WindowPlan(12.5);
      const found: string[] = [];
      let [from, available] = [0, 0];
      for (const step of [...steps, total]) {
        available = Math.min(total, available + step);
        for (
          let window = plan.next(from, available, false);
          window;
          window = plan.next(from, available, false)
        ) {
          if (window.end > available) return false;
          found.push(JSON.stringify(window));
          from = window.to;
        }
      }
      for (let window = plan.next(from, total, true); window; window = plan.next(from, total, true)) {
        found.push(JSON.stringify(window));
        from = window.to;
      }
      return found.join() === [...plan.all(total)].map((window) => JSON.stringify(window)).join();
    },
  );
  fc.assert(property, { seed: 2, numRuns: 500 });
  t.pass();
});

t.test('windows of a minute overlap by two seconds on both sides', async (t) => {
  t.same(
    [...new WindowPlan(12.5).all(750)],
    [
      { start: 0, from: 0, to: 150, end: 175 },
      { start: 125, from: 150, to: 300, end: 325 },
      { start: 275, from: 300, to: 450, end: 475 },
      { start: 425, from: 450, to: 600, end: 625 },
      { start: 575, from: 600, to: 750, end: 750 },
    ],
  );
});

t.test('a model whose vectors are minutes apart has a plan that ends', async (t) => {
  for (const vectorsPerSecond of [1 / 23, 1 / 24, 1 / 25, 1 / 48, 1e-6]) {
    const plan = new WindowPlan(vectorsPerSecond);
    let [from, windows] = [0, 0];
    for (
      let window = plan.next(0, 100, true);
      window && windows <= 100;
      window = plan.next(from, 100, true)
    ) {
      t.ok(window.to > from && window.end <= 100, `${vectorsPerSecond}: ${JSON.stringify(window)}`);
      from = window.to;
      windows++;
    }
    t.equal(from, 100, `${vectorsPerSecond} vectors a second: ${windows} windows`);
  }
});
