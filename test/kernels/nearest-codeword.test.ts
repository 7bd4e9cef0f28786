/** Indices of every variant against the reference on data that is hard to tell apart. */
import '../support/relaxed.js';
import t from 'tap';
import { nearestCodewordReference } from '../../kernels/nearest-codeword/reference.js';
import { nearestCodewordVariants } from '../../kernels/nearest-codeword/variants.js';
import { createRandom } from '../../src/tensor/index.js';

interface Problem {
  readonly stages: number;
  readonly codewords: number;
  readonly width: number;
  readonly codebooks: Float32Array;
  readonly vectors: Float32Array;
}

const random = createRandom(11);
const uniform = (length: number, scale = 1, offset = 0) =>
  Float32Array.from({ length }, () => scale * (2 * random() - 1) + offset);

/** Codebooks and vectors of features that decay, so that bounds of a few of them are used. */
function nearSubspace(stages: number, codewords: number, width: number, count: number, decay = 0.9): Problem {
  const decayed = (rows: number) => uniform(rows * width).map((x, i) => x * decay ** (i % width));
  const [codebooks, vectors] = [decayed(stages * codewords), decayed(count)];
  return { stages, codewords, width, codebooks, vectors };
}

function change(problem: Problem, edit: (books: Float32Array, vectors: Float32Array) => void): Problem {
  const [codebooks, vectors] = [problem.codebooks.slice(), problem.vectors.slice()];
  edit(codebooks, vectors);
  return { ...problem, codebooks, vectors };
}

const flat: Problem = {
  stages: 3,
  codewords: 70,
  width: 50,
  codebooks: uniform(3 * 70 * 50),
  vectors: uniform(40 * 50),
};
const near = nearSubspace(3, 256, 96, 40, 0.88);

/** x = f(x) for all of `data`. */
function map(data: Float32Array, f: (x: number) => number): void {
  data.set(data.map(f));
}

const scaled = (problem: Problem, factor: number) =>
  change(problem, (books, vectors) => {
    map(books, (x) => x * factor);
    map(vectors, (x) => x * factor);
  });

/** For both kinds of data. */
const both: Record<string, (problem: Problem) => Problem> = {
  'as it is': (problem) => problem,
  'each codeword three times': (problem) =>
    change(problem, (books) => {
      for (let at = 0; at + 3 * problem.width <= books.length; at += 3 * problem.width) {
        books.copyWithin(at + problem.width, at, at + problem.width);
        books.copyWithin(at + 2 * problem.width, at, at + problem.width);
      }
    }),
  'codewords one rounding apart': (problem) =>
    change(problem, (books) => {
      const { codewords, width } = problem;
      for (let v = 0; v < problem.stages * codewords; v++) {
        const first = (v - (v % codewords)) * width;
        if (v % 2 === 0) continue;
        books.copyWithin(v * width, first, first + width);
        books[v * width + (v % width)]! *= 1 + 2 ** -22;
      }
    }),
  'vectors that are codewords, and zeros': (problem) =>
    change(problem, (books, vectors) => {
      vectors.set(books.subarray(0, vectors.length >> 1));
      vectors.fill(0, 0, 3 * problem.width);
    }),
  'integers with many ties': (problem) =>
    change(problem, (books, vectors) => {
      map(books, (x) => Math.round(2 * x));
      map(vectors, (x) => Math.round(2 * x));
    }),
  'a large common offset': (problem) =>
    change(problem, (books, vectors) => {
      map(vectors, (x) => x + 1000);
      for (let i = 0; i < problem.codewords * problem.width; i++) books[i]! += 1000;
    }),
  'vectors far from all codewords': (problem) =>
    change(problem, (_, vectors) => map(vectors, (x) => 1e9 * x)),
  'vectors much shorter than codewords': (problem) =>
    change(problem, (_, vectors) => map(vectors, (x) => 1e-30 * x)),
  'tiny numbers': (problem) => scaled(problem, 1e-30),
  'numbers near the smallest': (problem) => scaled(problem, 1e-42),
  'huge numbers': (problem) => scaled(problem, 1e30),
  'one codebook all the same': (problem) =>
    change(problem, (books) => books.fill(0.5, 0, problem.codewords * problem.width)),
  'a codebook of zeros': (problem) =>
    change(problem, (books) => books.fill(0, problem.codewords * problem.width)),
  'an outlier': (problem) => change(problem, (books) => (books[problem.width * 5 + 3] = 1e6)),
  'numbers that are none in vectors': (problem) =>
    change(problem, (_, vectors) => {
      vectors[7] = Number.NaN;
      vectors[2 * problem.width] = Infinity;
      vectors[5 * problem.width + 1] = -Infinity;
    }),
  'numbers that are none in codewords': (problem) =>
    change(problem, (books) => {
      books[0] = Number.NaN;
      books[9 * problem.width] = Infinity;
    }),
};

function encode(kernel: typeof nearestCodewordReference, problem: Problem, lifetime: 'kept' | 'work') {
  const { stages, codewords, width, codebooks, vectors } = problem;
  const packed = kernel.pack(stages, codewords, width, codebooks, 0, lifetime);
  const count = vectors.length / width;
  const indices = new Int32Array(count * stages);
  const residual = vectors.slice();
  const once = () => {
    residual.set(vectors);
    kernel.encode(count, stages, packed, residual, 0, width, indices, 0, stages);
    return { indices: Array.from(indices), residual: Array.from(residual) };
  };
  return { once, packed };
}

for (const variant of nearestCodewordVariants) {
  const unavailable = variant.available();
  if (variant.name === 'reference') continue;
  t.test(
    `nearest-codeword, ${variant.name}`,
    { skip: unavailable === true ? false : unavailable },
    async (t) => {
      const kernel = variant.load();
      for (const [kind, problem] of Object.entries({ 'full space': flat, 'near a subspace': near })) {
        for (const [name, make] of Object.entries(both)) {
          const made = make(problem);
          const expected = encode(nearestCodewordReference, made, 'kept').once();
          const { once } = encode(kernel, made, 'kept');
          // The second time it may search in another way.
          t.strictSame(once(), expected, `${kind}, ${name}`);
          t.strictSame(once(), expected, `${kind}, ${name}, again`);
          t.strictSame(encode(kernel, made, 'work').once(), expected, `${kind}, ${name}, without bounds`);
        }
      }
    },
  );

  t.test(
    `nearest-codeword, ${variant.name}: a pack that is used in part`,
    { skip: unavailable !== true },
    async (t) => {
      const { codewords, width, codebooks, vectors } = near;
      const count = vectors.length / width;
      const packs = [nearestCodewordReference, variant.load()].map((kernel) => {
        const packed = kernel.pack(3, codewords, width, codebooks, 0, 'kept');
        const [indices, residual] = [new Int32Array(2 * count), vectors.slice()];
        kernel.encode(count, 2, packed, residual, 0, width, indices, 0, 2);
        return { indices: Array.from(indices), residual: Array.from(residual) };
      });
      t.strictSame(packs[1], packs[0], 'two of three stages');
    },
  );
}

t.test(
  'nearest-codeword: bounds rule most codewords out near a subspace, and are not used elsewhere',
  async (t) => {
    const simd = nearestCodewordVariants.find(
      ({ name, available }) => name === 'simd' && available() === true,
    );
    if (!simd) {
      t.pass('no SIMD here');
      return;
    }
    const searchOf = (problem: Problem) => {
      const { once, packed } = encode(simd.load(), problem, 'kept');
      for (let i = 0; i < 20; i++) once();
      const { books } = packed as unknown as {
        readonly books: readonly { readonly features: number; readonly search: { readonly left: number } }[];
      };
      return books;
    };
    for (const { features, search } of searchOf(nearSubspace(2, 256, 96, 60))) {
      t.ok(features > 0 && features <= 48, `${features} of 96 features`);
      t.ok(search.left < 26, `${search.left.toFixed(1)} of 256 codewords compared`);
    }
    for (const { features } of searchOf(flat)) t.equal(features, 0);
  },
);
