/** Groups of residual quantisers against separate ones on slices of the vectors. */
import fc from 'fast-check';
import t from 'tap';
import { GroupedQuantizer, ResidualQuantizer } from '../../src/quantizer/index.js';
import {
  createNormal,
  createRandom,
  type NdArray,
  ShapeError,
  type Tensor,
  view,
  zeros,
} from '../../src/tensor/index.js';

function randomTensor(seed: number, ...shape: number[]): Tensor {
  const normal = createNormal(createRandom(seed));
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = normal();
  return x;
}

interface Sizes {
  readonly count: number;
  readonly groupWidth: number;
  readonly stages: number;
  readonly codewords: number;
  readonly groups: number;
  readonly seed: number;
}

const sizes = fc.record<Sizes>({
  count: fc.integer({ min: 0, max: 9 }),
  groupWidth: fc.integer({ min: 1, max: 7 }),
  stages: fc.integer({ min: 1, max: 4 }),
  codewords: fc.integer({ min: 1, max: 9 }),
  groups: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer(),
});

/** Codebooks of each group [stages, codewords, groupWidth], vectors [count, width], and what is made of both. */
function made({ count, groupWidth, stages, codewords, groups, seed }: Sizes) {
  const separate = Array.from({ length: groups }, (_, g) =>
    randomTensor(seed + g, stages, codewords, groupWidth),
  );
  const books = zeros([stages * groups, codewords, groupWidth]);
  separate.forEach((each, g) => {
    for (let s = 0; s < stages; s++) {
      for (let v = 0; v < codewords; v++) {
        for (let d = 0; d < groupWidth; d++) books.set(s * groups + g, v, d, each.get(s, v, d));
      }
    }
  });
  const x = randomTensor(seed + 100, count, groups * groupWidth);
  return { separate, x, quantizer: new GroupedQuantizer(books, groups) };
}

/** Elements [n, d .. d + width - 1] of x, copied one by one. */
function slice(x: Tensor, from: number, width: number): Tensor {
  const part = zeros([x.shape[0]!, width]);
  for (let n = 0; n < x.shape[0]!; n++) {
    for (let d = 0; d < width; d++) part.set(n, d, x.get(n, from + d));
  }
  return part;
}

t.test('indices and vectors are those of one quantiser for each slice, stage before group', async (t) => {
  const property = fc.property(sizes, fc.nat(), (size, any) => {
    const { separate, x, quantizer } = made(size);
    const { count, groupWidth, groups, stages: all } = size;
    const stages = 1 + (any % all);
    const indices = quantizer.encode(x, stages);
    const looked = quantizer.lookUp(indices);
    if (indices.shape.join() !== [count, stages * groups].join()) return false;
    if (looked.shape.join() !== [count, groups * groupWidth].join()) return false;
    return separate.every((books, g) => {
      const alone = new ResidualQuantizer(books);
      const expected = alone.encode(slice(x, g * groupWidth, groupWidth), stages);
      const expectedVectors = alone.lookUp(expected);
      for (let n = 0; n < count; n++) {
        for (let s = 0; s < stages; s++) {
          if (indices.get(n, s * groups + g) !== expected.get(n, s)) return false;
        }
        for (let d = 0; d < groupWidth; d++) {
          if (looked.get(n, g * groupWidth + d) !== expectedVectors.get(n, d)) return false;
        }
      }
      return true;
    });
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
  t.pass();
});

t.test('fewer stages are the first columns of more', async (t) => {
  const property = fc.property(sizes, (size) => {
    const { x, quantizer } = made(size);
    const whole = quantizer.encode(x);
    for (let stages = 1; stages <= size.stages; stages++) {
      const columns = stages * size.groups;
      const fewer = quantizer.encode(x, stages);
      const first = whole.hi(size.count, columns);
      for (let n = 0; n < size.count; n++) {
        for (let c = 0; c < columns; c++) if (fewer.get(n, c) !== first.get(n, c)) return false;
      }
      // A view of columns is looked up as a copy of them is.
      const copied = quantizer.lookUp(fewer);
      if (quantizer.lookUp(first).data.join() !== copied.data.join()) return false;
    }
    return true;
  });
  fc.assert(property, { seed: 2 });
  t.pass();
});

t.test('vectors that are sums of codewords come back', async (t) => {
  // Codewords far apart in stage 1 and close in stage 2: the nearest ones are those of the sum.
  const books = zeros([4, 2, 1]);
  books.data.set([0, 100, 0, 1000, 0, 1, 0, 10]);
  const quantizer = new GroupedQuantizer(books, 2);
  const x = view(Float32Array.from([101, 10, 0, 1010]), [2, 2]);
  const indices = quantizer.encode(x);
  t.same([...indices.data], [1, 0, 1, 1, 0, 1, 0, 1]);
  t.same([...quantizer.lookUp(indices).data], [101, 10, 0, 1010]);
  t.equal(quantizer.stages, 2);
  t.equal(quantizer.width, 2);
});

t.test('vectors that are views', async (t) => {
  const { quantizer } = made({ count: 5, groupWidth: 3, stages: 2, codewords: 6, groups: 2, seed: 5 });
  const wide = randomTensor(7, 11, 13);
  const seen = wide.lo(1, 2).step(2, 2).hi(5, 6);
  const copy = zeros([5, 6]);
  for (let n = 0; n < 5; n++) for (let d = 0; d < 6; d++) copy.set(n, d, wide.get(1 + 2 * n, 2 + 2 * d));
  t.same([...quantizer.encode(seen).data], [...quantizer.encode(copy).data]);
});

t.test('shapes that do not fit', async (t) => {
  const books = randomTensor(1, 6, 4, 3);
  const quantizer = new GroupedQuantizer(books, 2);
  for (const groups of [0, -1, 4, 1.5, Number.NaN]) {
    t.throws(() => new GroupedQuantizer(books, groups), ShapeError, `${groups} groups`);
  }
  t.throws(() => new GroupedQuantizer(randomTensor(1, 6, 4), 2), ShapeError);
  for (const shape of [[2, 5], [2, 7], [2, 3], [12], [2, 6, 1]]) {
    t.throws(() => quantizer.encode(randomTensor(2, ...shape)), ShapeError, `x [${shape}]`);
  }
  for (const stages of [4, -1, 1.5]) {
    t.throws(() => quantizer.encode(randomTensor(2, 2, 6), stages), ShapeError, `${stages} stages`);
  }
  const indices = (...shape: number[]): NdArray<Int32Array> =>
    view(new Int32Array(shape.reduce((product, n) => product * n, 1)), shape);
  for (const shape of [[2, 3], [2, 8], [6], [1, 2, 2]]) {
    t.throws(() => quantizer.lookUp(indices(...shape)), ShapeError, `indices [${shape}]`);
  }
  const strange = indices(1, 2);
  strange.data[1] = 4;
  t.throws(() => quantizer.lookUp(strange), { code: 'ACOM_USAGE', message: /names no codeword of 4/ });
});
