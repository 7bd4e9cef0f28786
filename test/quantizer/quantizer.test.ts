import fc from 'fast-check';
import t from 'tap';
import { poolFrames } from '../../src/ops/index.js';
import {
  codewordUsage,
  entropyOfCounts,
  fitQuantizer,
  ResidualQuantizer,
  repeatFrames,
} from '../../src/quantizer/index.js';
import {
  createNormal,
  createRandom,
  flat,
  ShapeError,
  type Tensor,
  UsageError,
  view,
  zeros,
} from '../../src/tensor/index.js';

function randomTensor(seed: number, ...shape: number[]): Tensor {
  const normal = createNormal(createRandom(seed));
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = normal();
  return x;
}

/** Indices by the definition, in float64, residuals rounded to float32 between stages. */
function bruteForce(x: Tensor, codebooks: Tensor): number[] {
  const [stages, codewords, width] = codebooks.shape as [number, number, number];
  const out: number[] = [];
  for (let n = 0; n < x.shape[0]!; n++) {
    const residual = Float32Array.from({ length: width }, (_, d) => x.get(n, d) as number);
    for (let s = 0; s < stages; s++) {
      let [best, least] = [0, Infinity];
      for (let v = 0; v < codewords; v++) {
        const distance = residual.reduce(
          (sum, r, d) => sum + (r - (codebooks.get(s, v, d) as number)) ** 2,
          0,
        );
        if (distance < least) [best, least] = [v, distance];
      }
      out.push(best);
      residual.forEach((r, d) => {
        residual[d] = r - (codebooks.get(s, best, d) as number);
      });
    }
  }
  return out;
}

const sizes = fc.record({
  count: fc.integer({ min: 1, max: 8 }),
  width: fc.integer({ min: 1, max: 20 }),
  stages: fc.integer({ min: 1, max: 4 }),
  codewords: fc.integer({ min: 1, max: 12 }),
  seed: fc.integer(),
});

t.test('the nearest codeword agrees with a float64 brute force', async (t) => {
  const property = fc.property(sizes, ({ count, width, stages, codewords, seed }) => {
    const x = randomTensor(seed, count, width);
    const codebooks = randomTensor(seed + 1, stages, codewords, width);
    const indices = new ResidualQuantizer(codebooks).encode(x);
    return [...indices.data].join() === bruteForce(x, codebooks).join();
  });
  fc.assert(property, { seed: 1, numRuns: 300 });
  t.pass();
});

t.test('of equal codewords the lowest index is taken', async (t) => {
  const property = fc.property(sizes, ({ count, width, codewords, seed }) => {
    const once = randomTensor(seed, 1, codewords, width);
    const twice = view(Float32Array.from([...once.data, ...once.data]), [1, 2 * codewords, width]);
    const x = randomTensor(seed + 1, count, width);
    return new ResidualQuantizer(twice).encode(x).data.every((index) => index < codewords);
  });
  fc.assert(property, { seed: 2 });
  t.same([...new ResidualQuantizer(zeros([2, 5, 3])).encode(zeros([2, 3])).data], [0, 0, 0, 0]);
});

t.test('the first k stages are a prefix of all stages', async (t) => {
  const property = fc.property(sizes, ({ count, width, stages, codewords, seed }) => {
    const quantizer = new ResidualQuantizer(randomTensor(seed, stages, codewords, width));
    const x = randomTensor(seed + 1, count, width);
    const all = quantizer.encode(x);
    for (let k = 0; k <= stages; k++) {
      const some = quantizer.encode(x, k);
      for (let n = 0; n < count; n++) {
        for (let s = 0; s < k; s++) if (some.get(n, s) !== all.get(n, s)) return false;
      }
    }
    return true;
  });
  fc.assert(property, { seed: 3 });
  t.pass();
});

t.test('distortion never grows with k where each codebook holds the zero vector', async (t) => {
  const property = fc.property(sizes, ({ count, width, stages, codewords, seed }) => {
    const codebooks = randomTensor(seed, stages, codewords, width);
    for (let s = 0; s < stages; s++)
      codebooks
        .pick(s, codewords - 1, null)
        .data.fill(0, s * codewords * width, s * codewords * width + width);
    const quantizer = new ResidualQuantizer(codebooks);
    for (let n = 0; n < count; n++) {
      const x = randomTensor(seed + n, 1, width);
      let last = quantizer.distortion(x, 0);
      for (let k = 1; k <= stages; k++) {
        const next = quantizer.distortion(x, k);
        if (next > last * (1 + 1e-6)) return false;
        last = next;
      }
    }
    return true;
  });
  fc.assert(property, { seed: 4 });
  t.pass();
});

t.test('re-encoding a looked-up vector, stage by stage, leaves nothing', async (t) => {
  const property = fc.property(sizes, ({ count, width, stages, codewords, seed }) => {
    const codebooks = randomTensor(seed, stages, codewords, width);
    const quantizer = new ResidualQuantizer(codebooks);
    const x = randomTensor(seed + 1, count, width);
    const indices = quantizer.encode(x);
    for (let s = 0; s < stages; s++) {
      // What stage s added, given to stage s again: the same codeword, and so no distortion.
      const stage = new ResidualQuantizer(codebooks.lo(s, 0, 0).hi(1, codewords, width));
      const added = stage.lookUp(indices.lo(0, s).hi(count, 1));
      if (stage.distortion(added) !== 0) return false;
    }
    return true;
  });
  fc.assert(property, { seed: 5 });
  t.pass();
});

t.test('fitted codebooks: distortion falls with k, repeats with the seed, recovers clusters', async (t) => {
  const vectors = randomTensor(6, 400, 6);
  const rounds: number[][] = [[], []];
  const options = { stages: 3, codewords: 8, seed: 9 };
  const fitted = fitQuantizer(vectors, {
    ...options,
    onRound: (stage, _, distortion) => rounds[stage]?.push(distortion),
  });
  const distortions = [0, 1, 2, 3].map((k) => fitted.distortion(vectors, k));
  for (let k = 1; k <= 3; k++) t.ok(distortions[k]! < distortions[k - 1]!, `${distortions}`);
  for (const [stage, seen] of rounds.entries()) {
    t.ok(
      seen.every((d, i) => i === 0 || d <= seen[i - 1]! * (1 + 1e-6)),
      `stage ${stage}: no round of k-means makes it worse`,
    );
  }
  t.same(fitQuantizer(vectors, options).codebooks.data, fitted.codebooks.data);
  const again = fitted.lookUp(fitted.encode(vectors));
  t.ok(fitted.distortion(again) <= fitted.distortion(vectors), 're-encoding what was looked up is no worse');

  const centres = [-9, -3, 3, 9];
  const clustered = view(
    Float32Array.from({ length: 200 }, (_, i) => centres[i % 4]! + 0.01 * Math.sin(i)),
    [200, 1],
  );
  const found = [...fitQuantizer(clustered, { stages: 1, codewords: 4 }).codebooks.data].sort(
    (a, b) => a - b,
  );
  t.ok(
    found.every((c, i) => Math.abs(c - centres[i]!) < 0.02),
    String(found),
  );
});

t.test('fitting with fewer different vectors than codewords', async (t) => {
  const vectors = view(Float32Array.from([1, 1, 2, 2, 1, 1]), [3, 2]);
  const fitted = fitQuantizer(vectors, { stages: 2, codewords: 8 });
  t.ok(fitted.distortion(vectors) < 1e-12);
  t.throws(() => fitQuantizer(zeros([0, 2]), { stages: 1, codewords: 2 }), UsageError);
  t.throws(() => fitQuantizer(vectors, { stages: 1, codewords: 0 }), UsageError);
  t.throws(() => fitQuantizer(vectors, { stages: 1.5, codewords: 2 }), UsageError);
});

t.test('usage statistics', async (t) => {
  const uniform = view(
    Int32Array.from({ length: 64 }, (_, i) => i % 8),
    [64, 1],
  );
  const [stage] = codewordUsage(uniform, 16);
  t.equal(stage?.used, 8);
  t.equal(stage?.entropyBits, 3);
  t.equal(stage?.perplexity, 8);
  t.equal(entropyOfCounts([5]), 0);
  t.equal(entropyOfCounts([]), 0);
  t.ok(Math.abs(entropyOfCounts([1, 3]) - (0.25 * 2 + 0.75 * Math.log2(4 / 3))) < 1e-12);
});

t.test('pooling averages, repeating undoes its shape', async (t) => {
  const x = view(Float32Array.from([1, 10, 3, 30, 5, 50]), [3, 2]);
  t.same([...poolFrames(x, 2).data], [2, 20, 5, 50], 'an odd last frame counts twice');
  t.same([...poolFrames(x, 1).data], [...x.data]);
  t.same([...repeatFrames(poolFrames(x, 2), 2, 3).data], [2, 20, 2, 20, 5, 50]);
  t.same(poolFrames(zeros([0, 2]), 2).shape, [0, 2]);
});

t.test('indices and shapes that do not fit', async (t) => {
  const quantizer = new ResidualQuantizer(zeros([2, 4, 3]));
  const indices = (values: number[], shape: number[]) => view(Int32Array.from(values), shape);
  t.throws(() => quantizer.lookUp(indices([0, 4], [1, 2])), UsageError);
  t.throws(() => quantizer.lookUp(indices([-1], [1, 1])), UsageError);
  t.throws(() => quantizer.lookUp(indices([0, 0, 0], [1, 3])), ShapeError);
  t.throws(() => quantizer.encode(zeros([1, 3]), 3), ShapeError);
  t.throws(() => new ResidualQuantizer(zeros([4, 3])), ShapeError);
  t.same([...flat(quantizer.lookUp(indices([], [0, 2])))], []);
});
