import fc from 'fast-check';
import t from 'tap';
import { constant, scalarOf, Tape } from '../../../src/autograd/index.js';
import { encodeRun, FrequencyTable, frequenciesFromCounts, OrderZero } from '../../../src/entropy/index.js';
import { codewordUsage, GroupedQuantizer } from '../../../src/quantizer/index.js';
import { createRandom, flat, ShapeError, type Tensor, view } from '../../../src/tensor/index.js';
import {
  codewordBits,
  drawStages,
  Quantization,
  searchCodewords,
} from '../../../src/training/quantizer/index.js';
import { randomTensor } from '../../support/gradients.js';

const random = createRandom(77);
const close = (a: number, b: number, tolerance = 1e-4) =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));
const sum = (values: readonly number[]) => values.reduce((total, x) => total + x, 0);

interface Setup {
  readonly lengths: readonly number[];
  readonly stages: readonly number[];
  readonly groups: number;
  readonly taskGradient?: boolean;
  readonly trained?: boolean;
}
const [K, V, width] = [3, 5, 4];

function setup({ lengths, stages, groups, taskGradient = false, trained = false }: Setup) {
  const tape = new Tape();
  const vectors = randomTensor(random, sum(lengths), width);
  const codebooks = randomTensor(random, K * groups, V, width / groups);
  const counts = randomTensor(random, K * groups, V);
  for (let i = 0; i < counts.data.length; i++) counts.data[i] = Math.max(0, counts.data[i]!);
  const x = tape.variable(vectors);
  const books = trained ? tape.variable(codebooks) : constant(codebooks);
  const bits = codewordBits(counts);
  const quantization = new Quantization({
    steps: { x, lengths },
    codebooks: books,
    groups,
    stages,
    bits,
    temperature: 0.5,
    taskGradient,
  });
  return { tape, vectors, codebooks, counts, x, books, bits, quantization };
}

t.test('chooses and adds up as the codec does', async (t) => {
  for (const groups of [1, 2]) {
    const lengths = [3, 0, 4, 2];
    const stages = [2, 1, 3, 1];
    const { vectors, codebooks, quantization } = setup({ lengths, stages, groups });
    const codec = new GroupedQuantizer(codebooks, groups);
    t.same([...quantization.indices.data], [...codec.encode(vectors).data]);
    let from = 0;
    lengths.forEach((length, r) => {
      const part = codec.encode(vectors.lo(from, 0).hi(length, width), stages[r]!);
      const decoded = [...flat(codec.lookUp(part))];
      t.same(
        [...flat(quantization.quantized.value.lo(from, 0).hi(length, width))],
        decoded,
        `recording ${r}`,
      );
      from += length;
    });
  }
});

/** Rows of a tensor [n, width] as numbers. */
const rowsOf = (x: Tensor) => Array.from({ length: x.shape[0]! }, (_, n) => [...flat(x.pick(n, null))]);

t.test('losses are what their formulas say', async (t) => {
  const groups = 2;
  const [lengths, stages] = [
    [3, 4],
    [3, 2],
  ];
  const { vectors, codebooks, bits, quantization } = setup({ lengths, stages, groups });
  const [z, q] = [rowsOf(vectors), rowsOf(quantization.quantized.value)];
  const recording = (n: number) => (n < 3 ? 0 : 1);
  const commitment = sum(
    z.map((row, n) => sum(row.map((x, d) => (x - q[n]![d]!) ** 2)) / (width * lengths[recording(n)]!)),
  );
  t.ok(close(scalarOf(quantization.commitment()), commitment), 'commitment');

  const residuals = quantization.residuals.map(({ value }) => rowsOf(value));
  const after = sum(
    residuals
      .slice(1)
      .map((rows) =>
        sum(rows.map((row, n) => sum(row.map((x) => x * x)) / (width * lengths[recording(n)]!))),
      ),
  );
  t.ok(close(scalarOf(quantization.codebook()), after), 'codebook: what every stage leaves');

  const hard = lengths.map((_, r) =>
    sum(
      z.map((_, n) => {
        if (recording(n) !== r) return 0;
        const used = Array.from({ length: stages[r]! * groups }, (_, b) => b);
        return sum(used.map((b) => bits.get(b, quantization.indices.get(n, b))));
      }),
    ),
  );
  quantization.bits().forEach((each, r) => {
    t.ok(close(each, hard[r]!), `bits of recording ${r}`);
  });

  // p(v | vector) by the definition
  const half = width / groups;
  const books = Array.from({ length: K * groups }, (_, b) => {
    const [s, g] = [Math.floor(b / groups), b % groups];
    const columns = (row: readonly number[]) => row.slice(g * half, (g + 1) * half);
    const energy = (rows: number[][]) =>
      sum(rows.map((row) => sum(columns(row).map((x) => x * x)))) / rows.length;
    const temperature = 0.5 * energy(residuals[s + 1]!);
    const chosen = residuals[s]!.flatMap((row, n) => (stages[recording(n)]! > s ? [columns(row)] : []));
    const counts = new Array<number>(V).fill(0);
    for (const row of chosen) {
      const weights = counts.map((_, v) => {
        const word = [...flat(codebooks.pick(b, v, null))];
        return Math.exp(-sum(row.map((x, d) => (x - word[d]!) ** 2)) / temperature);
      });
      weights.forEach((w, v) => {
        counts[v]! += w / sum(weights);
      });
    }
    return counts;
  });
  const rate = sum(books.flatMap((counts, b) => counts.map((n, v) => n * bits.get(b, v))));
  t.ok(close(scalarOf(quantization.rate()), rate), 'rate');
  const divergence = books.map((counts) => {
    const p = counts.map((n) => n / sum(counts));
    return sum(p.map((x) => x * Math.log(x * V)));
  });
  t.ok(close(scalarOf(quantization.use()), (2 * sum(divergence)) / books.length), 'use, for two recordings');
});

t.test('gradients go where they should', async (t) => {
  const lengths = [4, 2];
  const stages = [1, 3];
  const seed = randomTensor(random, 6, width);

  const plain = setup({ lengths, stages, groups: 1, trained: true });
  plain.tape.backward(plain.quantization.quantized, seed);
  t.same([...flat(plain.x.gradient!)], [...flat(seed)], 'straight through');
  t.equal(plain.books.gradient, null, 'and not to codewords');

  const task = setup({ lengths, stages, groups: 1, trained: true, taskGradient: true });
  task.tape.backward(task.quantization.quantized, seed);
  const expected = new Float32Array(K * V * width);
  for (let n = 0; n < 6; n++) {
    for (let s = 0; s < (n < 4 ? 1 : 3); s++) {
      const word = (s * V + task.quantization.indices.get(n, s)) * width;
      for (let d = 0; d < width; d++) expected[word + d]! += seed.get(n, d);
    }
  }
  t.ok(
    flat(task.books.gradient!).every((g, i) => close(g, expected[i]!, 1e-6)),
    'the task moves the codewords that were used',
  );

  const committed = setup({ lengths, stages, groups: 1, trained: true });
  committed.tape.backward(committed.quantization.commitment());
  t.equal(committed.books.gradient, null, 'commitment moves vectors');
  t.ok(
    flat(committed.x.gradient!).every((g, i) => {
      const rows = i < 4 * width ? 4 : 2;
      const error = flat(committed.vectors)[i]! - flat(committed.quantization.quantized.value)[i]!;
      return close(g, (2 * error) / (rows * width), 1e-5);
    }),
  );

  const fitted = setup({ lengths, stages, groups: 1, trained: true });
  fitted.tape.backward(fitted.quantization.codebook());
  t.equal(fitted.x.gradient, null, 'codebook moves codewords');
  t.ok(flat(fitted.books.gradient!).some((g) => g !== 0));

  for (const loss of ['rate', 'use'] as const) {
    const soft = setup({ lengths, stages, groups: 2, trained: true });
    soft.tape.backward(soft.quantization[loss]());
    t.ok(
      flat(soft.x.gradient!).some((g) => g !== 0),
      `${loss} moves vectors`,
    );
    t.ok(
      flat(soft.books.gradient!).some((g) => g !== 0),
      `${loss} moves codewords`,
    );
  }
});

t.test('vectors that are coded without error have finite losses', async (t) => {
  const codebooks = view(Float32Array.of(1, 2, 3, 4, 0, 0, 0, 0), [1, 2, 4]);
  for (const values of [
    [1, 2, 3, 4],
    [0, 0, 0, 0],
  ]) {
    const tape = new Tape();
    const x = tape.variable(view(Float32Array.from(values), [1, 4]));
    const quantization = new Quantization({
      steps: { x, lengths: [1] },
      codebooks: constant(codebooks),
      groups: 1,
      stages: [1],
      bits: codewordBits(view(new Float32Array(2), [1, 2])),
      temperature: 0.1,
      taskGradient: false,
    });
    t.equal(scalarOf(quantization.commitment()), 0);
    t.ok(close(scalarOf(quantization.rate()), 1), 'one bit for each of two codewords');
    tape.backward(quantization.use());
    t.ok(flat(x.gradient!).every(Number.isFinite));
  }
});

t.test('bits are those of a code: their probabilities add up to 1', async () => {
  const counts = fc.array(fc.float({ min: 0, max: 1000, noNaN: true }), { minLength: 1, maxLength: 50 });
  fc.assert(
    fc.property(counts, (values) => {
      const bits = codewordBits(view(Float32Array.from(values), [1, values.length]));
      const total = bits.data.reduce((p, b) => p + 2 ** -b, 0);
      return bits.data.every(Number.isFinite) && Math.abs(total - 1) < 1e-4;
    }),
  );
});

t.test('bits are what the range coder writes', async (t) => {
  const [codewords, count] = [64, 4000];
  const codebooks = randomTensor(random, 1, codewords, width);
  const vectors = randomTensor(random, count, width);
  // Small vectors: few codewords are near, and those often.
  for (let i = 0; i < vectors.data.length; i++) vectors.data[i]! *= 0.4;
  const indices = searchCodewords(vectors, codebooks, 1);
  const { counts } = codewordUsage(indices, codewords)[0]!;
  const quantization = new Quantization({
    steps: { x: constant(vectors), lengths: [count] },
    codebooks: constant(codebooks),
    groups: 1,
    stages: [1],
    bits: codewordBits(view(Float32Array.from(counts), [1, codewords])),
    temperature: 0.1,
    taskGradient: false,
  });
  const table = new OrderZero([new FrequencyTable(frequenciesFromCounts(counts))]);
  const written = 8 * encodeRun({ indices: indices.data, stages: 1 }, table).length;
  const [hard, soft] = [quantization.bits()[0]!, scalarOf(quantization.rate())];
  t.ok(written < 0.97 * count * 6, 'coding saves something');
  t.ok(Math.abs(hard / written - 1) < 0.01, `${hard.toFixed(0)} bits for ${written}`);
  t.ok(Math.abs(soft / written - 1) < 0.1, `${soft.toFixed(0)} bits estimated`);
});

t.test('quantiser dropout', async (t) => {
  const random = createRandom(3);
  t.same(drawStages(4, 5, { probability: 0 }, random), [5, 5, 5, 5]);
  const drawn = drawStages(4000, 4, { probability: 0.5, choices: [1, 2] }, random);
  const count = (k: number) => drawn.filter((each) => each === k).length;
  t.ok(Math.abs(count(4) - 2000) < 150 && Math.abs(count(1) - 1000) < 120 && count(3) === 0);
  t.same(drawStages(9, 4, {}, createRandom(2)), drawStages(9, 4, {}, createRandom(2)));
  t.throws(() => drawStages(1, 4, { choices: [5] }, random));
  t.throws(() => drawStages(1, 4, { probability: 2 }, random));
});

t.test('what does not fit is refused', async (t) => {
  t.throws(() => setup({ lengths: [2, 2], stages: [1], groups: 1 }), ShapeError);
  t.throws(() => setup({ lengths: [2], stages: [4], groups: 1 }), ShapeError);
  t.throws(() => setup({ lengths: [2], stages: [0], groups: 1 }), ShapeError);
});
