import fc from 'fast-check';
import t from 'tap';
import { alignLabels, beamSearch, greedyDecode } from '../../src/tasks/ctc.js';
import { createRandom, ShapeError, type Tensor, UsageError, view } from '../../src/tensor/index.js';

/** Seeded log-probabilities [frames, classes]. */
function randomLogProbs(frames: number, classes: number, seed: number): Tensor {
  const random = createRandom(seed);
  const data = new Float32Array(frames * classes);
  for (let t = 0; t < frames; t++) {
    const weights = Array.from({ length: classes }, () => random() ** 3 + 1e-3);
    const total = weights.reduce((a, b) => a + b, 0);
    for (let c = 0; c < classes; c++) data[t * classes + c] = Math.log(weights[c]! / total);
  }
  return view(data, [frames, classes]);
}

/** Every path of one class a frame. */
function* paths(frames: number, classes: number): Generator<number[]> {
  if (frames === 0) {
    yield [];
    return;
  }
  for (const rest of paths(frames - 1, classes)) for (let c = 0; c < classes; c++) yield [...rest, c];
}

const collapse = (path: readonly number[]) => path.filter((c, t) => c !== 0 && c !== path[t - 1]);

const pathScore = (logProbs: Tensor, path: readonly number[]) =>
  path.reduce((sum, c, t) => sum + (logProbs.get(t, c) as number), 0);

t.test('an unpruned beam equals the sum over all paths', async (t) => {
  const property = fc.property(
    fc.integer({ min: 0, max: 5 }),
    fc.integer({ min: 1, max: 4 }),
    fc.integer(),
    (frames, classes, seed) => {
      const logProbs = randomLogProbs(frames, classes, seed);
      const sums = new Map<string, number>();
      for (const path of paths(frames, classes)) {
        const key = collapse(path).join(' ');
        sums.set(key, (sums.get(key) ?? 0) + Math.exp(pathScore(logProbs, path)));
      }
      const found = beamSearch(logProbs, { width: 10_000 });
      return (
        found.length === sums.size &&
        found.every(({ labels, logProbability }, i) => {
          const sum = sums.get(labels.join(' ')) ?? Number.NaN;
          const ordered = i === 0 || logProbability <= found[i - 1]!.logProbability;
          return ordered && Math.abs(Math.exp(logProbability) - sum) < 1e-9 + 1e-6 * sum;
        })
      );
    },
  );
  fc.assert(property, { seed: 4, numRuns: 200 });
  t.pass();
});

t.test('the alignment is the best of all paths that read as the labels', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 2, max: 4 }),
    fc.integer(),
    fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }),
    (frames, classes, seed, wanted) => {
      const labels = wanted.map((label) => 1 + ((label - 1) % (classes - 1)));
      const logProbs = randomLogProbs(frames, classes, seed);
      let [best, bestPath] = [-Infinity, null as number[] | null];
      for (const path of paths(frames, classes)) {
        if (collapse(path).join() !== labels.join()) continue;
        const score = pathScore(logProbs, path);
        if (score > best) [best, bestPath] = [score, path];
      }
      if (bestPath === null) {
        try {
          alignLabels(logProbs, labels);
          return false;
        } catch (error) {
          return error instanceof UsageError;
        }
      }
      const tokens = alignLabels(logProbs, labels);
      const path = new Array(frames).fill(0);
      for (const { label, startFrame, endFrame } of tokens) path.fill(label, startFrame, endFrame);
      return (
        tokens.map((token) => token.label).join() === labels.join() &&
        Math.abs(pathScore(logProbs, path) - best) < 1e-5 &&
        tokens.every(({ confidence }) => confidence > 0 && confidence <= 1)
      );
    },
  );
  fc.assert(property, { seed: 5, numRuns: 300 });
  t.pass();
});

t.test('greedy decoding merges repeats and drops blanks', async (t) => {
  const path = [0, 1, 1, 0, 1, 2, 2, 0];
  const data = new Float32Array(path.length * 3).fill(Math.log(0.1));
  path.forEach((c, frame) => {
    data[frame * 3 + c] = Math.log(0.8);
  });
  const tokens = greedyDecode(view(data, [path.length, 3]));
  t.same(
    tokens.map(({ label, startFrame, endFrame }) => [label, startFrame, endFrame]),
    [
      [1, 1, 3],
      [1, 4, 5],
      [2, 5, 7],
    ],
  );
  for (const { confidence } of tokens) t.ok(Math.abs(confidence - 0.8) < 1e-6);
  t.same(greedyDecode(view(new Float32Array(0), [0, 3])), [], 'no frames');
});

t.test('shapes and options are checked', async (t) => {
  t.throws(() => greedyDecode(view(new Float32Array(4), [4])), ShapeError);
  t.throws(() => beamSearch(randomLogProbs(2, 3, 1), { width: 0 }), UsageError);
  t.throws(() => beamSearch(randomLogProbs(2, 3, 1), { classesPerFrame: 1.5 }), UsageError);
  const few = beamSearch(randomLogProbs(6, 5, 1), { width: 2, classesPerFrame: 1 });
  t.equal(few.length, 2);
});
