import fc from 'fast-check';
import t from 'tap';
import { scalarOf } from '../../../src/autograd/index.js';
import { createRandom, flat, type Tensor, UsageError, view } from '../../../src/tensor/index.js';
import {
  type CodebookAverages,
  followAverages,
  reviveCodewords,
  TrainableQuantizer,
  type TrainableQuantizerOptions,
} from '../../../src/training/quantizer/index.js';
import type { TrainingState } from '../../../src/training/run/workload.js';
import { clusters, passOf, stateOf } from './state.js';

const CENTRES = [
  [4, 0],
  [0, 4],
  [-4, 0],
  [0, -4],
];
const shape = { codebooks: 1, codewords: 4, width: 2 } as const;

/** One step: passes over parts of a batch, then what follows from their reports. */
function step(
  quantizer: TrainableQuantizer,
  state: TrainingState,
  parts: readonly Tensor[],
  random: () => number = createRandom(9),
): number {
  const reported = new Map<string, Float64Array>();
  parts.forEach((part, shard) => {
    const pass = passOf(state, reported, { seed: shard + Math.floor(1e6 * random()) });
    quantizer.forward(pass, { x: pass.tape.variable(part), lengths: [part.shape[0]!] });
  });
  return quantizer.absorb(state, reported, { random });
}

const nearestCentre = (book: Tensor, v: number) =>
  Math.min(...CENTRES.map(([x, y]) => Math.hypot(book.get(0, v, 0) - x!, book.get(0, v, 1) - y!)));

t.test('averages of constant data come to the means of their clusters', async () => {
  const cases = fc.record({
    seed: fc.integer({ min: 1 }),
    groups: fc.constantFrom(1, 2),
    decay: fc.constantFrom(0, 0.5, 0.9),
  });
  fc.assert(
    fc.property(cases, ({ seed, groups, decay }) => {
      const data = clusters(
        CENTRES.map((c) => [...c, ...c]),
        8,
        0.3,
        seed,
      );
      const options = { codebooks: 1, codewords: 4, width: 4, groups, decay } as const;
      const quantizer = new TrainableQuantizer({ ...options, learning: 'averages', reviveBelow: 0 });
      const state = stateOf(quantizer);
      quantizer.start(state, data, seed, 1);
      const before = flat(quantizer.codebooksOf(state)).slice();
      for (let i = 0; i < 400; i++) step(quantizer, state, [data]);
      // The choices have settled: each codeword must be the mean of the vectors that choose it.
      const reported = new Map<string, Float64Array>();
      const pass = passOf(state, reported);
      quantizer.forward(pass, { x: pass.tape.variable(data), lengths: [data.shape[0]!] });
      const [counts, sums] = ['quantizer.counts', 'quantizer.sums'].map((name) => reported.get(name)!);
      const book = flat(quantizer.codebooksOf(state));
      const width = 4 / groups;
      return (
        before.length === book.length &&
        book.every((x, i) => {
          const n = counts![Math.floor(i / width)]!;
          return n === 0 || Math.abs(x - sums![i]! / n) < 2e-3;
        })
      );
    }),
    { numRuns: 12 },
  );
});

t.test('codewords that nobody uses are revived, and then used', async (t) => {
  for (const learning of ['averages', 'gradient'] as const) {
    const quantizer = new TrainableQuantizer({ ...shape, learning, decay: 0.5 });
    const state = stateOf(quantizer);
    const book = quantizer.codebooksOf(state);
    // One codeword amid the clusters takes all vectors, the others are far away.
    flat(book).set([0, 0, 100, 100, 200, 200, -300, 100]);
    const random = createRandom(4);
    const data = clusters(CENTRES, 10, 0.2, 5);
    let revived = 0;
    for (let i = 0; i < 60; i++) revived += step(quantizer, state, [data], random);
    const [use] = quantizer.use(state);
    t.ok(revived >= 3, `${learning}: ${revived} revived`);
    t.ok(
      flat(book).every((x) => Math.abs(x) < 5),
      'all came to where the vectors are',
    );
    t.ok(use!.used > 0.5, `${use!.used} of them used`);
  }
});

t.test('sums over shards are those of the whole batch', async (t) => {
  const data = clusters(CENTRES, 6, 0.5, 8);
  const options: TrainableQuantizerOptions = { ...shape, learning: 'averages', reviveBelow: 0 };
  const quantizer = new TrainableQuantizer(options);
  const [one, two] = [stateOf(quantizer), stateOf(quantizer)];
  for (const state of [one, two]) quantizer.start(state, data);
  step(quantizer, one, [data]);
  step(quantizer, two, [data.hi(10), data.lo(10, 0)]);
  const [a, b] = [flat(quantizer.codebooksOf(one)), flat(quantizer.codebooksOf(two))];
  t.ok(a.every((x, i) => Math.abs(x - b[i]!) < 1e-6));
});

t.test('candidates of two shards stay apart', async (t) => {
  const quantizer = new TrainableQuantizer({ ...shape, codebooks: 2, learning: 'averages' });
  const state = stateOf(quantizer);
  const reported = new Map<string, Float64Array>();
  const [data, other] = [clusters(CENTRES, 10, 0.2, 5), clusters([[50, 50]], 10, 0.2, 5)];
  [data, other].forEach((part, shard) => {
    const pass = passOf(state, reported, { seed: shard + 1 });
    quantizer.forward(pass, { x: pass.tape.variable(part), lengths: [part.shape[0]!] });
  });
  const counts = reported.get('quantizer.candidateCounts')!;
  const vectors = reported.get('quantizer.candidates')!;
  const single = [...counts.keys()].filter((slot) => counts[slot] === 1);
  t.ok(single.length >= 8, `${single.length} slots of one vector`);
  const all = [...flat(data), ...flat(other)];
  for (const slot of single) {
    const [x, y] = vectors.subarray(slot * 4, slot * 4 + 2);
    t.ok(
      all.some((value, i) => i % 2 === 0 && value === x && all[i + 1] === y),
      'a vector of the batch',
    );
  }
});

t.test('one step is the formula of van den Oord et al.', async (t) => {
  const tensor = (values: number[], ...shape: number[]) => view(Float32Array.from(values), shape);
  const before: CodebookAverages = {
    codebooks: tensor([1, 2, 9], 1, 3, 1),
    counts: tensor([0.5, 0.5, 0], 1, 3),
    sums: tensor([0.5, 1, 0], 1, 3, 1),
  };
  // of 4 vectors three chose the first: 2, 2 and 5
  const next = followAverages(before, { counts: [3, 1, 0], sums: [9, 1, 0] }, { decay: 0.8, epsilon: 0.01 });
  const [n0, n1] = [0.8 * 0.5 + 0.2 * 0.75, 0.8 * 0.5 + 0.2 * 0.25];
  const smooth = (n: number) => ((n + 0.01) / (n0 + n1 + 0.03)) * (n0 + n1);
  const expected = [(0.8 * 0.5 + 0.2 * 2.25) / smooth(n0), (0.8 * 1 + 0.2 * 0.25) / smooth(n1), 9];
  t.ok(expected.every((x, i) => Math.abs(x - next.codebooks.data[i]!) < 1e-5));
  t.same([...before.codebooks.data], [1, 2, 9], 'nothing was written to');
  const same = followAverages(before, { counts: [0, 0, 0], sums: [0, 0, 0] }, {});
  t.same([...same.counts.data], [0.5, 0.5, 0], 'no vectors, no change');
});

t.test('revival takes candidates once, and leaves what is used', async (t) => {
  const before = {
    codebooks: view(Float32Array.of(1, 2, 3, 4), [1, 4, 1]),
    counts: view(Float32Array.of(1, 0, 0, 0), [1, 4]),
    sums: null,
  };
  const candidates = { vectors: [7, 8, 99], counts: [1, 1, 2] };
  const how = { threshold: 0.1, groups: 1 };
  const { codebooks, revived } = reviveCodewords(before, candidates, how, createRandom(1));
  t.equal(revived, 2);
  t.equal(codebooks.data[0], 1);
  t.same([...codebooks.data].filter((x) => x > 4).sort(), [7, 8], 'the slot of two vectors is not used');
  t.equal(reviveCodewords(before, candidates, { threshold: 0, groups: 1 }, createRandom(1)).revived, 0);
});

t.test('use: perplexity lies between 1 and the codewords', async () => {
  const quantizer = new TrainableQuantizer({ ...shape, learning: 'averages' });
  fc.assert(
    fc.property(
      fc.array(fc.float({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
      (counts) => {
        const state = stateOf(quantizer);
        flat(state.buffers.get('quantizer.counts')!).set(counts);
        const [use] = quantizer.use(state);
        return (
          use!.perplexity >= 1 - 1e-6 &&
          use!.perplexity <= 4 + 1e-6 &&
          use!.entropyBits >= -1e-6 &&
          use!.entropyBits <= 2 + 1e-6 &&
          use!.used >= 0 &&
          use!.used <= 1
        );
      },
    ),
  );
});

t.test('a trained codebook goes to its clusters', async (t) => {
  const quantizer = new TrainableQuantizer({ ...shape, learning: 'gradient', reviveBelow: 0 });
  const state = stateOf(quantizer);
  const data = clusters(CENTRES, 10, 0.2, 5);
  quantizer.start(state, data, 2, 1);
  const book = quantizer.codebooksOf(state);
  for (let i = 0; i < book.data.length; i++) book.data[i]! *= 0.8;
  for (let i = 0; i < 200; i++) {
    const pass = passOf(state, new Map());
    const steps = { x: pass.tape.variable(data), lengths: [data.shape[0]!] };
    pass.tape.backward(quantizer.forward(pass, steps).codebook());
    flat(pass.parameter('quantizer.codebooks').gradient!).forEach((g, i) => {
      book.data[i]! -= 0.5 * g;
    });
  }
  for (let v = 0; v < 4; v++) t.ok(nearestCentre(book, v) < 0.2, `codeword ${v}`);
});

/** Follows a loss from the vectors' side. */
function descend(loss: 'rate' | 'use', rate: number, steps: number) {
  const quantizer = new TrainableQuantizer({ ...shape, learning: 'averages', temperature: 1, decay: 0.8 });
  const state = stateOf(quantizer);
  // Three of four vectors choose the first codeword.
  const data = clusters([CENTRES[0]!, CENTRES[0]!, CENTRES[0]!, CENTRES[1]!], 8, 3, 5);
  quantizer.start(state, data, 1, 3);
  const at = () => {
    const pass = passOf(state, new Map(), { training: false });
    const x = pass.tape.variable(data);
    const quantization = quantizer.forward(pass, { x, lengths: [data.shape[0]!] });
    const value = quantization[loss]();
    pass.tape.backward(value);
    return { bits: quantization.bits()[0]!, value: scalarOf(value), gradient: x.gradient! };
  };
  const first = at();
  for (let i = 0; i < steps; i++) {
    const { gradient } = at();
    flat(gradient).forEach((g, n) => {
      data.data[n]! -= rate * g;
    });
  }
  return { first, last: at() };
}

t.test('vectors that follow the rate cost fewer bits', async (t) => {
  const { first, last } = descend('rate', 0.05, 40);
  t.ok(last.value < 0.95 * first.value, `${first.value} to ${last.value} bits, estimated`);
  t.ok(last.bits <= first.bits, `${first.bits} to ${last.bits} bits, counted`);
});

t.test('vectors that follow the use loss spread over codewords', async (t) => {
  const { first, last } = descend('use', 2, 40);
  t.ok(last.value < 0.9 * first.value, `${first.value} to ${last.value} nats from uniform`);
});

t.test('nothing is reported and nothing learned outside training', async (t) => {
  const quantizer = new TrainableQuantizer({ ...shape, learning: 'averages' });
  const state = stateOf(quantizer);
  const reported = new Map<string, Float64Array>();
  const pass = passOf(state, reported, { training: false });
  quantizer.forward(pass, { x: pass.tape.variable(clusters(CENTRES, 2, 0, 1)), lengths: [8] });
  t.equal(reported.size, 0);
  t.equal(quantizer.absorb(state, reported, { random: Math.random }), 0);
});

t.test('a state that lacks numbers, and options that make no sense, are refused', async (t) => {
  const quantizer = new TrainableQuantizer({ ...shape, learning: 'averages' });
  t.throws(() => quantizer.use({ parameters: new Map(), buffers: new Map() }), { code: 'ACOM_MODEL' });
  for (const wrong of [
    { groups: 3 },
    { codewords: 0 },
    { temperature: 0 },
    { decay: 1 },
    { taskGradient: true },
  ]) {
    t.throws(
      () => new TrainableQuantizer({ ...shape, learning: 'averages', ...wrong }),
      UsageError,
      JSON.stringify(wrong),
    );
  }
});
