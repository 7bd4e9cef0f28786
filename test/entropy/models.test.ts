/** Codewords by decisions: counts that go on, and contexts. */
import fc from 'fast-check';
import t from 'tap';
import {
  Adaptive,
  type CodewordModel,
  Context,
  type ContextTables,
  contextBytes,
  decodeRun,
  encodeRun,
  OrderZero,
  packedBytes,
  RangeDecoder,
  RangeEncoder,
} from '../../src/entropy/index.js';
import { AcomError, createRandom, FormatError, UsageError } from '../../src/tensor/index.js';
import { BitCount, hex, KINDS, randomContext, runOf, tableOf } from './support.js';

/** Bytes of a run by a model, however many: packed runs would hide it. */
function coded(indices: ArrayLike<number>, stages: number, model: CodewordModel): Uint8Array {
  const encoder = new RangeEncoder();
  model.encode(runOf(indices, stages), encoder);
  return encoder.finish();
}

function decoded(bytes: Uint8Array, vectors: number, stages: number, model: CodewordModel): Int32Array {
  const run = runOf(new Int32Array(vectors * stages), stages);
  model.decode(run, new RangeDecoder(bytes));
  return run.indices;
}

/** What a run costs an ideal coder, in bits. */
function costOf(indices: ArrayLike<number>, stages: number, model: Adaptive | Context): number {
  const count = new BitCount();
  model.encode(runOf(indices, stages), count);
  return count.bits;
}

/** Random models of every size, made from a seed. */
const models = fc
  .record({
    codewords: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 300 })),
    stages: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.constant(15)),
    dimensions: fc.constantFrom(4, 8, 32),
    kind: fc.constantFrom(...KINDS, 'adaptive' as const),
    seed: fc.integer(),
  })
  .map(({ kind, seed, ...shape }) => {
    const random = createRandom(seed);
    if (kind !== 'adaptive') return new Context(randomContext(shape, kind, random));
    const counts = () => Array.from({ length: shape.codewords }, () => Math.floor(50 * random() ** 6));
    return new Adaptive(Array.from({ length: shape.stages }, () => tableOf(counts())));
  });

/** Codewords of vectors, of which some are the one before again. */
function vectorsOf(model: CodewordModel, stages: number, vectors: number, seed: number): Int32Array {
  const random = createRandom(seed);
  const [repeated, skew] = [random(), 1 + 3 * random()];
  const indices = new Int32Array(vectors * stages);
  for (let n = 0; n < vectors; n++) {
    const again = n > 0 && random() < repeated;
    for (let i = n * stages; i < (n + 1) * stages; i++) {
      indices[i] = again ? indices[i - stages]! : Math.floor(model.codewords * random() ** skew);
    }
  }
  return indices;
}

t.test('any codewords by any model come back, with as few stages as there are', async (t) => {
  const property = fc.property(models, fc.nat(60), fc.nat(14), fc.integer(), (model, vectors, k, seed) => {
    const stages = 1 + (k % model.stages);
    const indices = vectorsOf(model, stages, vectors, seed);
    const said = indices.join();
    const bytes = encodeRun(runOf(indices, stages), model);
    return (
      bytes.length <= packedBytes(indices.length, model.codewords) &&
      decodeRun(bytes, vectors, stages, model).join() === said &&
      decoded(coded(indices, stages, model), vectors, stages, model).join() === said
    );
  });
  fc.assert(property, { seed: 1, numRuns: 800 });
  t.pass();
});

t.test('random bytes decode to codewords or to a typed error', async (t) => {
  let [read, refused] = [0, 0];
  const property = fc.property(
    fc.uint8Array({ maxLength: 60 }),
    fc.nat(40),
    models,
    (bytes, vectors, model) => {
      for (const decode of [decodeRun, decoded]) {
        try {
          const found = decode(bytes, vectors, model.stages, model);
          if (found.length !== vectors * model.stages) return false;
          if (!found.every((v) => v >= 0 && v < model.codewords)) return false;
          read++;
        } catch (error) {
          if (!(error instanceof AcomError)) throw error;
          refused++;
        }
      }
      return true;
    },
  );
  fc.assert(property, { seed: 2, numRuns: 1000 });
  t.ok(read > 300 && refused > 300, `${read} read, ${refused} refused`);
});

/** Made by a coder in Python whose interval is one big integer, with the models of test/bitstream/read_run.py. */
const GOLDEN = {
  adaptive: 'bf5c9c72c9ad4c23478e3292fe7fc5bd30fe6c35a252fc4ad167ec88',
  context:
    '313a95f6e9be5940f9e90d8aecff76fc57586cc1d32e3a0726fd30cdd241d24cdfadbafccb3a959ca601bed6daade48038e42aa878c78b0f0b33',
};

t.test('golden bytes: a change here is a new format version', async (t) => {
  const tables = [tableOf([40, 30, 20, 5, 3, 1, 1, 0, 0, 0]), tableOf([9, 4, 0, 1, 0, 0, 0, 1, 0, 2])];
  const once = [
    [0, 1],
    [1, 9],
    [0, 0],
    [0, 0],
    [0, 0],
    [2, 1],
    [8, 3],
    [0, 9],
    [0, 0],
    [1, 1],
    [1, 1],
    [7, 0],
  ];
  const back = [...once].reverse();
  const vectors = [once, back, back, back].flat(2);
  t.equal(hex(coded(vectors, 2, new Adaptive(tables))), GOLDEN.adaptive);
  const bytes = (length: number, step: number) =>
    Int8Array.from({ length }, (_, i) => ((i * step) % 61) - 30);
  const context = new Context({
    codewords: 10,
    stages: 2,
    dimensions: 4,
    leaves: Int16Array.from({ length: 20 }, (_, i) => (i < 10 ? (3 * i + 5) % 16 : 25 - i)),
    biases: Int16Array.from({ length: 32 }, (_, i) => ((i * 97) % 1201) - 600),
    nodes: bytes(2 * 16 * 4, 7),
    previous: bytes(2 * 11 * 4, 11),
    second: bytes(2 * 11 * 4, 13),
    earlier: bytes(10 * 4, 17),
  });
  t.equal(hex(coded(vectors, 2, context)), GOLDEN.context);
  t.equal(hex(coded(vectors, 2, context)), GOLDEN.context, 'nothing is remembered from run to run');
});

const skewed = (codewords: number, skew: number, random: () => number) => () =>
  Math.floor(codewords * random() ** skew);

/** Models of `stages` stages that were trained on skewed codewords, or on nothing much. */
function trained(codewords: number, stages: number, skew: number, seed: number): (Adaptive | Context)[] {
  const random = createRandom(seed);
  const draw = skewed(codewords, skew, random);
  const tables = Array.from({ length: stages }, () => {
    const counts = new Array<number>(codewords).fill(1);
    for (let i = 0; i < 20_000; i++) counts[draw()]!++;
    return tableOf(counts);
  });
  const shape = { codewords, stages, dimensions: 4 };
  return [
    new Adaptive(tables),
    ...(['none', 'small'] as const).map((kind) => new Context(randomContext(shape, kind, random))),
  ];
}

t.test('bytes are what the decisions say, within 0.1 %', async (t) => {
  for (const skew of [1, 3]) {
    for (const model of trained(64, 2, skew, 3)) {
      const indices = Array.from({ length: 200_000 }, skewed(64, skew, createRandom(4)));
      const bits = costOf(indices, 2, model);
      const bytes = coded(indices, 2, model).length;
      const what = `${model.constructor.name}, skew ${skew}: ${bytes} bytes for ${bits.toFixed(0)} bits`;
      t.ok(bytes <= (1.001 * bits) / 8 + 2, what);
      t.ok(bytes >= bits / 8 - 1 - bits / 8000, 'and no less');
    }
  }
});

t.test('equal vectors in a row cost almost nothing', async (t) => {
  const random = createRandom(5);
  const shape = { codewords: 256, stages: 4, dimensions: 4 };
  for (const model of [...trained(256, 4, 2, 5), new Context(randomContext(shape, 'extreme', random))]) {
    const name = model.constructor.name;
    const silence = Array.from({ length: 4 * 10_000 }, (_, i) => 7 * (i % 4));
    const { length } = encodeRun(runOf(silence, 4), model);
    t.ok(length <= 40, `${name}: ${length} bytes`);
    // Ten held notes of a thousand vectors.
    const held = silence.map((codeword, i) => codeword + Math.floor(i / 4000));
    const notes = encodeRun(runOf(held, 4), model).length;
    t.ok(notes <= 10 * 40, `${name}: ${notes} bytes for ten of them`);
    t.same(decodeRun(encodeRun(runOf(held, 4), model), 10_000, 4, model), Int32Array.from(held));
  }
});

t.test('where nothing repeats, asking costs little', async (t) => {
  const indices = Array.from({ length: 4000 }, (_, i) => i % 2);
  for (const model of trained(2, 1, 1, 6)) {
    const count = new BitCount();
    model.encode(runOf(indices, 1), count);
    t.equal(count.decisions, 2 * indices.length - 1);
    t.ok(count.bits < 1.02 * indices.length, `${model.constructor.name}: ${count.bits.toFixed(0)} bits`);
  }
});

t.test('what a run is like lowers its cost', async (t) => {
  const [codewords, vectors] = [64, 3000];
  // Trained on even use, or on nothing; the run likes sixteen codewords of them, in no order.
  for (const model of trained(codewords, 1, 1, 7).slice(0, 2)) {
    const draw = skewed(16, 1, createRandom(8));
    const indices = Array.from({ length: vectors }, () => 4 * draw() + 1);
    const begin = costOf(indices.slice(0, vectors / 10), 1, model) / (vectors / 10);
    const all = costOf(indices, 1, model) / vectors;
    const name = `${model.constructor.name}: ${begin.toFixed(2)} bits a codeword at first, ${all.toFixed(2)} in all`;
    t.ok(all < begin, name);
    t.ok(all < 5, 'between the 6 bits of even use and the 4 of what is used');
  }
  const counts = new Array<number>(codewords).fill(100);
  const still = new OrderZero([tableOf(counts)]);
  const indices = Array.from({ length: vectors }, (_, i) => 4 * ((7 * i) % 16) + 1);
  const adaptive = encodeRun(runOf(indices, 1), new Adaptive([tableOf(counts)])).length;
  t.ok(adaptive < 0.8 * encodeRun(runOf(indices, 1), still).length);
});

/** The tables of a model that never had more than `stages` stages. */
function cut(tables: ContextTables, stages: number): ContextTables {
  const { codewords, dimensions: d, biases } = tables;
  const nodes = biases.length / tables.stages;
  return {
    ...tables,
    stages,
    leaves: tables.leaves.slice(0, stages * codewords),
    biases: biases.slice(0, stages * nodes),
    nodes: tables.nodes.slice(0, stages * nodes * d),
    previous: tables.previous.slice(0, stages * (codewords + 1) * d),
    second: tables.second.slice(0, Math.min(2, stages) * (codewords + 1) * d),
    earlier: tables.earlier.slice(0, (stages - 1) * codewords * d),
  };
}

t.test('a run of fewer stages is coded as if there were no others', async (t) => {
  const tables = randomContext({ codewords: 11, stages: 4, dimensions: 8 }, 'small', createRandom(9));
  const counts = Array.from({ length: 4 }, (_, s) => tableOf([9, 3 + s, 1, 0, 0, 1, 5, 5, 5, s, 2]));
  for (let stages = 1; stages <= 4; stages++) {
    const whole = new Context(tables);
    const indices = vectorsOf(whole, stages, 50, 10);
    t.same(coded(indices, stages, new Context(cut(tables, stages))), coded(indices, stages, whole));
    const fewer = new Adaptive(counts.slice(0, stages));
    t.same(coded(indices, stages, fewer), coded(indices, stages, new Adaptive(counts)));
  }
});

t.test('context tables that do not fit together', async (t) => {
  const tables = randomContext({ codewords: 5, stages: 2, dimensions: 4 }, 'small', createRandom(11));
  t.equal(contextBytes(2, 5, 4), 2 * (10 + 16) + 64 + 48 + 48 + 20);
  const leaves = (...first: number[]) => Int16Array.of(...first, ...tables.leaves.slice(first.length));
  const wrong: [string, Partial<ContextTables>][] = [
    ['three numbers', { dimensions: 3 }],
    ['36 numbers', { dimensions: 36 }],
    ['no numbers', { dimensions: 0 }],
    ['biases of one stage', { biases: tables.biases.slice(8) }],
    ['nodes of one stage', { nodes: tables.nodes.slice(32) }],
    ['no row for the beginning', { previous: tables.previous.slice(4) }],
    ['no table of the one before that', { second: new Int8Array() }],
    ['a stage more that is earlier', { earlier: new Int8Array(40) }],
    ['a leaf of two codewords', { leaves: leaves(3, 3) }],
    ['a leaf below the first', { leaves: leaves(-1) }],
    ['a leaf beyond the last', { leaves: leaves(8) }],
  ];
  for (const [what, part] of wrong) t.throws(() => new Context({ ...tables, ...part }), FormatError, what);
  const model = new Context(tables);
  t.throws(() => encodeRun(runOf([0, 0, 0], 3), model), UsageError, 'more stages than it knows');
  t.throws(() => encodeRun(runOf([5], 1), model), UsageError, 'no such codeword');
});
