import fc from 'fast-check';
import t from 'tap';
import {
  decodeRun,
  encodeRun,
  FrequencyTable,
  frequenciesFromCounts,
  OrderZero,
  packedBytes,
  RangeDecoder,
  RangeEncoder,
  TOTAL_BITS,
} from '../../src/entropy/index.js';
import { AcomError, createRandom, FormatError, UsageError } from '../../src/tensor/index.js';
import { hex, runOf, tableOf } from './support.js';

const TOTAL = 2 ** TOTAL_BITS;

/** Counts of codewords, zeros and very large ones included. */
const count = fc.oneof(
  fc.constant(0),
  fc.constant(1),
  fc.integer({ min: 0, max: 50 }),
  fc.integer({ min: 0, max: 1_000_000 }),
);
const countsOf = fc.array(count, { minLength: 1, maxLength: 300 });
/** Of one to four stages, with as many codewords each. */
const stagesOf = fc
  .tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 4 }))
  .chain(([codewords, stages]) =>
    fc.array(fc.array(count, { minLength: codewords, maxLength: codewords }), {
      minLength: stages,
      maxLength: stages,
    }),
  );

t.test('frequencies: integers that sum to 2^15, every seen codeword has a part', async (t) => {
  const property = fc.property(countsOf, (counts) => {
    const frequencies = frequenciesFromCounts(counts);
    const sum = frequencies.reduce((a, b) => a + b, 0);
    const unseen = counts.filter((count) => count === 0).length;
    return (
      frequencies.length === counts.length + 1 &&
      sum === TOTAL &&
      counts.every((count, v) => (count > 0 ? frequencies[v]! > 0 : frequencies[v] === 0)) &&
      (unseen > 0 ? frequencies[counts.length]! > 0 : frequencies[counts.length] === 0)
    );
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
  t.same([...frequenciesFromCounts([1, 1, 2])], [8192, 8192, 16384, 0]);
  t.same([...frequenciesFromCounts([0, 0])], [0, 0, TOTAL]);
  t.throws(() => frequenciesFromCounts([]), UsageError);
  t.throws(() => frequenciesFromCounts([-1]), UsageError);
  t.throws(() => frequenciesFromCounts([0.5]), UsageError);
  t.throws(() => frequenciesFromCounts(new Array(20_000).fill(1)), UsageError);
});

t.test('any codewords by any tables come back, escapes included', async (t) => {
  const property = fc.property(
    stagesOf,
    fc.array(fc.nat()),
    fc.nat(3),
    fc.boolean(),
    (counts, raw, k, plain) => {
      const model = new OrderZero(counts.map(tableOf));
      const stages = 1 + (k % model.stages);
      const vectors = Math.floor(raw.length / stages);
      const indices = raw.slice(0, vectors * stages).map((n) => n % model.codewords);
      const run = runOf(indices, stages);
      const bytes = encodeRun(run, model, plain);
      const most = packedBytes(indices.length, model.codewords);
      const encoder = new RangeEncoder();
      model.encode(run, encoder);
      const decoded = runOf(new Array<number>(indices.length).fill(0), stages);
      model.decode(decoded, new RangeDecoder(encoder.finish()));
      return (
        (plain ? bytes.length === most : bytes.length <= most) &&
        decodeRun(bytes, vectors, stages, model, plain).join() === indices.join() &&
        decoded.indices.join() === indices.join()
      );
    },
  );
  fc.assert(property, { seed: 2, numRuns: 600 });
  t.pass();
});

t.test('a table that fits saves what the entropy says', async (t) => {
  const random = createRandom(3);
  for (const skew of [1, 2, 4]) {
    const draw = () => Math.floor(256 * random() ** skew);
    const tables = [0, 1].map(() => {
      const counts = new Array<number>(256).fill(1);
      for (let i = 0; i < 50_000; i++) counts[draw()]!++;
      return tableOf(counts);
    });
    const model = new OrderZero(tables);
    for (const count of [2000, 200_000]) {
      const indices = Array.from({ length: count }, draw);
      const bits = indices.reduce((sum, codeword, i) => sum + tables[i % 2]!.costBits(codeword), 0);
      const bytes = encodeRun(runOf(indices, 2), model).length;
      const what = `skew ${skew}: ${bytes} bytes for ${bits.toFixed(0)} bits`;
      t.ok(bytes <= Math.min((1.001 * bits) / 8 + 2, count), what);
      t.ok(bytes >= Math.min(bits / 8 - 1, count), 'no less than the entropy');
    }
  }
});

/** Made by a coder in Python whose interval is one big integer, so that it has no carries to get wrong. */
const GOLDEN = {
  frequent: '2f937f02',
  escapes: 'fc2921eb0000dfa71d',
  stages: '3fdbd54d0c32ce',
  packed: '789789',
  carries: `fffffffe${'ff'.repeat(69)}a0`,
};

t.test('golden bytes: a change here is a new format version', async (t) => {
  const table = tableOf([40, 30, 20, 5, 3, 1, 1, 0, 0, 0]);
  const model = new OrderZero([table]);
  const coded = (...indices: number[]) => hex(encodeRun(runOf(indices, 1), model));
  t.equal(coded(0, 1, 0, 2, 0, 0, 3, 1, 0, 4, 1, 0), GOLDEN.frequent);
  t.equal(coded(8, ...new Array<number>(30).fill(0), 9, 7, 8), GOLDEN.escapes);
  t.equal(coded(7, 8, 9, 7, 8, 9), GOLDEN.packed);
  t.equal(coded(), '');
  const two = new OrderZero([table, tableOf([9, 4, 0, 1, 0, 0, 0, 1, 0, 2])]);
  const vectors = [0, 1, 1, 9, 0, 0, 0, 0, 0, 0, 2, 1, 8, 3, 0, 9, 0, 0, 1, 1, 1, 1, 7, 0];
  t.equal(hex(encodeRun(runOf(vectors, 2), two)), GOLDEN.stages, 'vector after vector');
  const encoder = new RangeEncoder();
  // Shares at the very top of the range make carries ripple through bytes of 255.
  for (let i = 0; i < 40; i++) encoder.encode(TOTAL - 1, 1);
  t.equal(hex(encoder.finish()), GOLDEN.carries);
});

interface Decision {
  readonly bit: number;
  readonly ones: number;
}

interface Share {
  readonly cumulative: number;
  readonly frequency: number;
  readonly bits: number;
}

t.test('carries and the longest messages, of shares and decisions', async (t) => {
  const random = createRandom(4);
  const below = (n: number) => Math.floor(random() * n);
  const shares = Array.from({ length: 20_000 }, (): Decision | Share => {
    if (random() < 0.5) {
      const ones = [1, 2, 32768, 65534, 65535, 1 + below(65535)][below(6)]!;
      return { ones, bit: random() < 0.5 ? 1 : 0 };
    }
    const bits = below(17);
    const frequency = random() < 0.5 ? 1 : 1 + below(2 ** bits);
    const cumulative = random() < 0.5 ? 2 ** bits - frequency : below(2 ** bits - frequency + 1);
    return { bits, frequency, cumulative };
  });
  const encoder = new RangeEncoder();
  for (const share of shares) {
    if ('ones' in share) encoder.code(share.bit, share.ones);
    else encoder.encode(share.cumulative, share.frequency, share.bits);
  }
  const decoder = new RangeDecoder(encoder.finish());
  let wrong = 0;
  for (const share of shares) {
    if ('ones' in share) {
      if (decoder.code(0, share.ones) !== share.bit) wrong++;
      continue;
    }
    const { bits, cumulative, frequency } = share;
    const part = decoder.peek(bits);
    if (part < cumulative || part >= cumulative + frequency) wrong++;
    decoder.consume(cumulative, frequency, bits);
  }
  t.equal(wrong, 0);
});

t.test('the shortest message that decodes: no byte less would', async (t) => {
  const random = createRandom(6);
  const model = new OrderZero([tableOf([100, 50, 20, 10, 5, 2, 1, 1])]);
  const longer: string[] = [];
  for (let n = 0; n < 500; n++) {
    const indices = Array.from({ length: 1 + (n % 20) }, () => Math.floor(8 * random() ** 3));
    const encoder = new RangeEncoder();
    model.encode(runOf(indices, 1), encoder);
    const bytes = encoder.finish();
    // A prefix decodes to something else, whatever byte it ends in.
    for (let last = 0; last < 256 && bytes.length > 0; last++) {
      const shorter = bytes.slice(0, -1);
      if (shorter.length > 0) shorter[shorter.length - 1] = last;
      const run = runOf(new Array<number>(indices.length).fill(0), 1);
      try {
        model.decode(run, new RangeDecoder(shorter));
      } catch (error) {
        if (error instanceof FormatError) continue;
        throw error;
      }
      if (run.indices.join() === indices.join()) longer.push(indices.join());
    }
  }
  t.same(longer, []);
});

t.test('tables, runs and bytes that make no sense', async (t) => {
  const table = (...frequencies: number[]) => new FrequencyTable(Int32Array.from(frequencies));
  t.throws(() => table(TOTAL), FormatError, 'no codewords');
  t.throws(() => table(TOTAL - 1, 0), FormatError, 'a sum that is not 2^15');
  t.throws(() => table(TOTAL + 5, -5, 0), FormatError, 'a negative frequency');
  t.throws(() => table(TOTAL, 0, 0), FormatError, 'a codeword without frequency and no escape');
  const plain = table(TOTAL / 2, TOTAL / 2, 0);
  t.throws(() => new OrderZero([]), UsageError, 'no stages');
  t.throws(() => new OrderZero([plain, tableOf([1, 1, 1])]), UsageError, 'stages of different codewords');
  const two = new OrderZero([plain, plain]);
  t.throws(() => encodeRun(runOf([2], 1), two), UsageError, 'no such codeword');
  t.throws(() => encodeRun(runOf([-1], 1), two), UsageError, 'nor such');
  t.throws(() => encodeRun(runOf([0, 1, 0], 2), two), UsageError, 'half a vector');
  t.throws(() => encodeRun(runOf([0, 1, 0], 3), two), UsageError, 'more stages than the model');
  for (const stages of [0, -1, 0.5]) t.throws(() => encodeRun(runOf([0], stages), two), UsageError);
  t.throws(() => decodeRun(new Uint8Array(3), 8, 2, two), FormatError, 'more bytes than they can need');
  t.throws(() => decodeRun(new Uint8Array(1), 8, 2, two, true), FormatError, 'too few where all are packed');
  const three = new OrderZero([tableOf([1, 1, 1])]);
  t.throws(
    () => decodeRun(Uint8Array.of(0xff), 4, 1, three),
    FormatError,
    'a packed one that does not exist',
  );
  const escapes = new OrderZero([tableOf([1, 0, 0, 0])]);
  t.throws(() => decodeRun(Uint8Array.of(0xff, 0xff), 40, 1, escapes), FormatError, 'an escape to nowhere');
});

t.test('random bytes decode to codewords or to a typed error', async (t) => {
  const tables = [[5, 3, 0, 0, 1], [1], new Array<number>(256).fill(7)].map(tableOf);
  const models = tables.flatMap((table) => [new OrderZero([table]), new OrderZero([table, table, table])]);
  const property = fc.property(
    fc.uint8Array({ maxLength: 40 }),
    fc.nat(60),
    fc.constantFrom(...models),
    fc.boolean(),
    (bytes, vectors, model, plain) => {
      try {
        const found = decodeRun(bytes, vectors, model.stages, model, plain);
        return found.length === vectors * model.stages && found.every((v) => v >= 0 && v < model.codewords);
      } catch (error) {
        return error instanceof AcomError;
      }
    },
  );
  fc.assert(property, { seed: 5, numRuns: 3000 });
  t.pass();
});
