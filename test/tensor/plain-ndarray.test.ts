/** The written-out view against the package whose place it takes. */
import fc from 'fast-check';
import createNdArray from 'ndarray';
import t from 'tap';
import type { NdArray } from '../../src/tensor/index.js';
import { PlainNdArray } from '../../src/tensor/plain-ndarray.js';

const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });

/** One way to view a tensor anew, for a tensor of `rank` axes. */
const change = (rank: number) =>
  fc.oneof(
    fc.record({
      kind: fc.constant('lo' as const),
      counts: fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: rank }),
    }),
    fc.record({
      kind: fc.constant('hi' as const),
      counts: fc.array(fc.integer({ min: 1, max: 2 }), { maxLength: rank }),
    }),
    fc.record({
      kind: fc.constant('step' as const),
      counts: fc.array(fc.constantFrom(1, 2, -1, -2), { maxLength: rank }),
    }),
    fc.record({
      kind: fc.constant('transpose' as const),
      counts: fc.shuffledSubarray(
        Array.from({ length: rank }, (_, axis) => axis),
        { minLength: rank },
      ),
    }),
  );

const facts = (x: NdArray<Float32Array>) => ({
  shape: [...x.shape],
  stride: [...x.stride],
  offset: x.offset,
  size: x.size,
  dimension: x.dimension,
  dtype: x.dtype,
});

t.test('lo, hi, step and transpose, one after another', async (t) => {
  fc.assert(
    fc.property(
      shapes.chain((shape) => fc.tuple(fc.constant(shape), fc.array(change(shape.length), { maxLength: 4 }))),
      ([shape, changes]) => {
        const size = shape.reduce((product, n) => product * n, 1);
        const data = Float32Array.from({ length: size }, (_, i) => i);
        let theirs = createNdArray(data, shape) as unknown as NdArray<Float32Array>;
        let ours: NdArray<Float32Array> = new PlainNdArray(data, [...theirs.shape], [...theirs.stride], 0);
        for (const { kind, counts } of changes) {
          // A view that would be empty is another matter: leave such a change out.
          if (kind === 'lo' && theirs.shape.some((n, axis) => n <= (counts[axis] ?? 0))) continue;
          if (kind === 'hi' && theirs.shape.some((n, axis) => n < (counts[axis] ?? 0))) continue;
          theirs = theirs[kind](...counts);
          ours = ours[kind](...counts);
        }
        const first = theirs.shape.map(() => 0);
        const last = theirs.shape.map((n) => n - 1);
        t.match(facts(ours), facts(theirs));
        return ours.get(...first) === theirs.get(...first) && ours.get(...last) === theirs.get(...last);
      },
    ),
  );
  t.end();
});

t.test('pick, set and every dtype', async (t) => {
  const data = Float32Array.from({ length: 24 }, (_, i) => i);
  const theirs = createNdArray(data, [2, 3, 4]) as unknown as NdArray<Float32Array>;
  const ours = new PlainNdArray(data, [2, 3, 4], [12, 4, 1], 0);
  for (const at of [[1], [null, 2], [null, null, 3], [0, 1], [1, null, 0], [-1, 2]] as const) {
    t.same(facts(ours.pick(...at)), facts(theirs.pick(...at)), `pick ${at.join()}`);
  }
  ours.set(1, 2, 3, 99);
  t.equal(theirs.get(1, 2, 3), 99);
  t.equal(ours.index(1, 2, 3), theirs.index(1, 2, 3));
  for (const array of [
    new Float64Array(1),
    new Int8Array(1),
    new Int16Array(1),
    new Int32Array(1),
    new Uint8Array(1),
    new Uint16Array(1),
    new Uint32Array(1),
    new BigInt64Array(1),
    new BigUint64Array(1),
  ]) {
    const { dtype } = createNdArray(array as never, [1]);
    t.equal(new PlainNdArray(array, [1], [1], 0).dtype, dtype, dtype);
  }
});
