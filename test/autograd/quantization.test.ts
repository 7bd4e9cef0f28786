import t from 'tap';
import {
  constant,
  gatherRows,
  scalarOf,
  softCounts,
  squaredError,
  straightThrough,
  sumPrefix,
  Tape,
  uniformDivergence,
} from '../../src/autograd/index.js';
import {
  createRandom,
  flat,
  ShapeError,
  type Tensor,
  UsageError,
  view,
  zeros,
} from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(21);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);
const close = (a: number, b: number, tolerance = 1e-5) =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

t.test('straight through: the value of the one, the gradient of both', async (t) => {
  const tape = new Tape();
  const [x, q] = [tape.variable(tensor(3, 2)), tape.variable(tensor(3, 2))];
  const y = straightThrough(x, q);
  t.same([...flat(y.value)], [...flat(q.value)]);
  const seed = tensor(3, 2);
  tape.backward(y, seed);
  t.same([...flat(x.gradient!)], [...flat(seed)]);
  t.same([...flat(q.gradient!)], [...flat(seed)]);
  t.throws(() => straightThrough(x, constant(tensor(2, 3))), ShapeError);
});

t.test('rows of a table', async (t) => {
  const table = tensor(2, 3, 4);
  const rows = [5, 0, 5, 2];
  const y = gatherRows(constant(table), rows).value;
  rows.forEach((row, n) => {
    t.same([...flat(y.pick(n, null))], [...flat(table).subarray(row * 4, row * 4 + 4)]);
  });
  checkGradients(t, 'gatherRows', { f: (x) => gatherRows(x!, rows), inputs: [table] });
  t.same(gatherRows(constant(table), rows, [2, 8]).shape, [2, 8]);
  t.throws(() => gatherRows(constant(table), [6]), UsageError);
  t.throws(() => gatherRows(constant(tensor(3)), [0]), ShapeError);
});

t.test('sums of the first layers', async (t) => {
  const y = sumPrefix(constant(view(Float32Array.of(1, 2, 10, 20, 100, 200), [6, 1])), [1, 3]).value;
  t.same([...flat(y)], [1, 222]);
  checkGradients(t, 'sumPrefix', { f: (x) => sumPrefix(x!, [0, 2, 3]), inputs: [tensor(9, 2)] });
  t.same(sumPrefix(constant(tensor(0, 2)), []).shape, [0, 2]);
  t.throws(() => sumPrefix(constant(tensor(9, 2)), [1, 2]), ShapeError);
  t.throws(() => sumPrefix(constant(tensor(9, 2)), []), ShapeError);
});

t.test('squared error', async (t) => {
  const [x, y] = [tensor(4, 3), tensor(4, 3)];
  const weights = [1, 0.5, 0, 2];
  const expected = weights.reduce((sum, w, n) => {
    const row = [0, 1, 2].map((d) => x.get(n, d) - y.get(n, d));
    return sum + w * row.reduce((s, e) => s + e * e, 0);
  }, 0);
  t.ok(close(scalarOf(squaredError(constant(x), constant(y), weights)), expected));
  checkGradients(t, 'squaredError', { f: (a, b) => squaredError(a!, b!, weights), inputs: [x, y] });
  t.throws(() => squaredError(constant(x), constant(y), [1]), ShapeError);
});

t.test('divergence from uniform', async (t) => {
  const counts = (...values: number[]) => constant(view(Float32Array.from(values), [1, values.length]));
  t.ok(close(scalarOf(uniformDivergence(counts(3, 3, 3, 3))), 0));
  t.ok(close(scalarOf(uniformDivergence(counts(0, 7, 0, 0))), Math.log(4)));
  t.equal(scalarOf(uniformDivergence(counts(0, 0))), 0, 'nothing was counted');
  const positive = tensor(3, 5);
  for (let i = 0; i < positive.data.length; i++) positive.data[i] = 1.2 + positive.data[i]!;
  checkGradients(t, 'uniformDivergence', { f: (x) => uniformDivergence(x!), inputs: [positive] });
  const tape = new Tape();
  const some = tape.variable(view(Float32Array.of(0, 1, 0, 0), [2, 2]));
  tape.backward(uniformDivergence(some));
  t.ok(flat(some.gradient!).every(Number.isFinite), 'a column without any is pushed, not thrown');
});

/** The definition in float64. */
function countsByDefinition(x: Tensor, book: Tensor, temperature: number): number[] {
  const [codewords, width] = book.shape as [number, number];
  const counts = new Array<number>(codewords).fill(0);
  for (let n = 0; n < x.shape[0]!; n++) {
    const weights = counts.map((_, v) => {
      let square = 0;
      for (let d = 0; d < width; d++) square += (x.get(n, d) - book.get(v, d)) ** 2;
      return Math.exp(-square / temperature);
    });
    const total = weights.reduce((sum, w) => sum + w, 0);
    weights.forEach((w, v) => {
      counts[v]! += w / total;
    });
  }
  return counts;
}

t.test('soft counts', async (t) => {
  const [x, books] = [tensor(7, 6), tensor(3, 5, 2)];
  const rows = [6, 1, 2];
  const f = (a: ReturnType<typeof constant>, b: ReturnType<typeof constant>) =>
    softCounts(
      [
        { x: a, rows: null, column: 0, temperature: 0.7 },
        { x: a, rows, column: 4, temperature: 0.3 },
        { x: a, rows: [], column: 2, temperature: 1 },
      ],
      b,
    );
  const { value } = f(constant(x), constant(books));
  const selected = zeros([3, 2]);
  rows.forEach((row, n) => {
    for (let d = 0; d < 2; d++) selected.set(n, d, x.get(row, 4 + d));
  });
  const expected = [
    countsByDefinition(x.hi(7, 2), books.pick(0, null, null), 0.7),
    countsByDefinition(selected, books.pick(1, null, null), 0.3),
    [0, 0, 0, 0, 0],
  ].flat();
  flat(value).forEach((count, i) => {
    t.ok(close(count, expected[i]!), `count ${i}`);
  });
  checkGradients(t, 'softCounts', { f: (a, b) => f(a!, b!), inputs: [x, books] });
  checkGradients(t, 'of whole vectors', {
    f: (a, b) => softCounts([{ x: a!, rows: null, column: 0, temperature: 1 }], b!),
    inputs: [tensor(4, 3), tensor(1, 6, 3)],
  });
  checkGradients(t, 'constant codebooks', {
    f: (a) =>
      softCounts([{ x: a!, rows: null, column: 0, temperature: 1 }], constant(view(flat(x), [1, 14, 3]))),
    inputs: [tensor(4, 3)],
  });
  t.throws(() => softCounts([], constant(books)), ShapeError);
  const outside = { x: constant(x), rows: null, column: 5, temperature: 1 };
  t.throws(() => softCounts([outside, outside, outside], constant(books)), ShapeError);
});
