import fc from 'fast-check';
import t from 'tap';
import {
  decodeStage,
  encodeStage,
  FrequencyTable,
  frequenciesFromCounts,
  packedBytes,
  RangeDecoder,
  RangeEncoder,
  TOTAL_BITS,
} from '../../src/entropy/index.js';
import { AcomError, createRandom, FormatError, UsageError } from '../../src/tensor/index.js';

const TOTAL = 2 ** TOTAL_BITS;

/** Counts of codewords, zeros and very large ones included. */
const countsOf = fc.array(
  fc.oneof(
    fc.constant(0),
    fc.constant(1),
    fc.integer({ min: 0, max: 50 }),
    fc.integer({ min: 0, max: 1_000_000 }),
  ),
  { minLength: 1, maxLength: 300 },
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

t.test('any codewords by any table come back, escapes included', async (t) => {
  const property = fc.property(countsOf, fc.array(fc.nat()), (counts, raw) => {
    const table = new FrequencyTable(frequenciesFromCounts(counts));
    const codewords = raw.map((n) => n % counts.length);
    const bytes = encodeStage(codewords, table);
    return (
      bytes.length <= packedBytes(codewords.length, counts.length) &&
      decodeStage(bytes, codewords.length, table).join() === codewords.join()
    );
  });
  fc.assert(property, { seed: 2, numRuns: 500 });
  t.pass();
});

t.test('a table that fits saves what the entropy says, within a byte', async (t) => {
  const random = createRandom(3);
  for (const skew of [1, 2, 4]) {
    const draw = () => Math.floor(256 * random() ** skew);
    const counts = new Array<number>(256).fill(1);
    for (let i = 0; i < 50_000; i++) counts[draw()]!++;
    const table = new FrequencyTable(frequenciesFromCounts(counts));
    const codewords = Array.from({ length: 2000 }, draw);
    const bits = codewords.reduce((sum, codeword) => sum + table.costBits(codeword), 0);
    const bytes = encodeStage(codewords, table).length;
    t.ok(
      bytes <= Math.min(Math.ceil(bits / 8) + 2, 2000),
      `skew ${skew}: ${bytes} bytes for ${bits.toFixed(0)} bits`,
    );
    t.ok(bytes >= Math.min(bits / 8 - 1, 2000), `skew ${skew}: no less than the entropy`);
  }
});

/** Made by a coder in Python whose interval is one big integer, so that it has no carries to get wrong. */
const GOLDEN = {
  frequent: '2f937f02',
  escapes: 'fc2921eb0000dfa71d',
  packed: '789789',
  carries: `fffffffe${'ff'.repeat(69)}a0`,
};

t.test('golden bytes: a change here is a new format version', async (t) => {
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
  const table = new FrequencyTable(frequenciesFromCounts([40, 30, 20, 5, 3, 1, 1, 0, 0, 0]));
  t.equal(hex(encodeStage([0, 1, 0, 2, 0, 0, 3, 1, 0, 4, 1, 0], table)), GOLDEN.frequent);
  t.equal(hex(encodeStage([8, ...new Array(30).fill(0), 9, 7, 8], table)), GOLDEN.escapes);
  t.equal(hex(encodeStage([7, 8, 9, 7, 8, 9], table)), GOLDEN.packed);
  t.equal(hex(encodeStage([], table)), '');
  const encoder = new RangeEncoder();
  // Shares at the very top of the range make carries ripple through bytes of 255.
  for (let i = 0; i < 40; i++) encoder.encode(TOTAL - 1, 1);
  t.equal(hex(encoder.finish()), GOLDEN.carries);
});

t.test('carries and the longest messages', async (t) => {
  const random = createRandom(4);
  const shares = Array.from({ length: 20_000 }, () => {
    const bits = 1 + Math.floor(random() * 16);
    const frequency = random() < 0.5 ? 1 : 1 + Math.floor(random() * (2 ** bits - 1));
    const cumulative =
      random() < 0.5 ? 2 ** bits - frequency : Math.floor(random() * (2 ** bits - frequency + 1));
    return { bits, frequency, cumulative };
  });
  const encoder = new RangeEncoder();
  for (const { cumulative, frequency, bits } of shares) encoder.encode(cumulative, frequency, bits);
  const decoder = new RangeDecoder(encoder.finish());
  let wrong = 0;
  for (const { cumulative, frequency, bits } of shares) {
    const part = decoder.peek(bits);
    if (part < cumulative || part >= cumulative + frequency) wrong++;
    decoder.consume(cumulative, frequency, bits);
  }
  t.equal(wrong, 0);
});

t.test('tables and bytes that make no sense', async (t) => {
  const table = (...frequencies: number[]) => new FrequencyTable(Int32Array.from(frequencies));
  t.throws(() => table(TOTAL), FormatError, 'no codewords');
  t.throws(() => table(TOTAL - 1, 0), FormatError, 'a sum that is not 2^15');
  t.throws(() => table(TOTAL + 5, -5, 0), FormatError, 'a negative frequency');
  t.throws(() => table(TOTAL, 0, 0), FormatError, 'a codeword without frequency and no escape');
  const plain = table(TOTAL / 2, TOTAL / 2, 0);
  t.throws(() => encodeStage([2], plain), UsageError);
  t.throws(() => encodeStage([0.5], plain), UsageError);
  t.throws(
    () => decodeStage(new Uint8Array(3), 8, plain),
    FormatError,
    'more bytes than the codewords can need',
  );
  const three = new FrequencyTable(frequenciesFromCounts([1, 1, 1]));
  t.throws(
    () => decodeStage(Uint8Array.from([0xff]), 4, three),
    FormatError,
    'a packed codeword that does not exist',
  );
});

t.test('random bytes decode to codewords or to a typed error', async (t) => {
  const tables = [[5, 3, 0, 0, 1], [1], new Array(256).fill(7)].map(
    (counts) => new FrequencyTable(frequenciesFromCounts(counts)),
  );
  const property = fc.property(
    fc.uint8Array({ maxLength: 40 }),
    fc.nat(60),
    fc.nat(2),
    (bytes, count, which) => {
      const table = tables[which]!;
      try {
        return decodeStage(bytes, count, table).every(
          (codeword) => codeword >= 0 && codeword < table.codewords,
        );
      } catch (error) {
        return error instanceof AcomError;
      }
    },
  );
  fc.assert(property, { seed: 5, numRuns: 2000 });
  t.pass();
});
