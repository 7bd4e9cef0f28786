/** Masks within their bounds, warping against peaks at known frequencies, and what else is done to numbers in a row. */
import fc from 'fast-check';
import t from 'tap';
import { createRandom, ShapeError, UsageError, view } from '../../../src/tensor/index.js';
import {
  beta,
  choose,
  clip,
  drawMasks,
  integer,
  maskFeatures,
  mix,
  muLaw,
  quantize,
  rotate,
  shift,
  shuffled,
  warpFeatures,
} from '../../../src/training/augmentation/index.js';

t.test('masks stay within what they may cover', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 200 }),
    fc.integer({ min: 1, max: 80 }),
    fc.integer({ min: 0, max: 4 }),
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 30 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.nat(),
    (frames, width, timeMasks, mostFrames, frequencyMasks, mostFeatures, mostOfTime, seed) => {
      const options = { timeMasks, mostFrames, frequencyMasks, mostFeatures, mostOfTime };
      const { time, frequency } = drawMasks(frames, width, createRandom(seed), options);
      const inside = (most: number, of: number) => (mask: { begin: number; end: number }) =>
        mask.begin >= 0 && mask.begin <= mask.end && mask.end <= of && mask.end - mask.begin <= most;
      const covered = time.reduce((sum, { begin, end }) => sum + end - begin, 0);
      return (
        time.length === timeMasks &&
        frequency.length === frequencyMasks &&
        time.every(inside(mostFrames, frames)) &&
        frequency.every(inside(mostFeatures, width)) &&
        covered <= mostOfTime * frames
      );
    },
  );
  fc.assert(property, { seed: 1, numRuns: 300 });
  const options = { timeMasks: 1, mostFrames: 3, frequencyMasks: 1, mostFeatures: 2 };
  t.throws(() => drawMasks(9, 9, Math.random, { ...options, timeMasks: -1 }), UsageError);
  t.throws(() => drawMasks(9, 9, Math.random, { ...options, mostOfTime: 2 }), UsageError);
});

t.test('features under masks have the mean, all others stay', async (t) => {
  const [frames, width] = [50, 20];
  const data = Float32Array.from({ length: frames * width }, (_, i) => 1 + Math.sin(i));
  const options = { timeMasks: 2, mostFrames: 10, frequencyMasks: 2, mostFeatures: 5 };
  const masked = maskFeatures(view(data, [frames, width]), createRandom(5), options);
  const { time, frequency } = drawMasks(frames, width, createRandom(5), options);
  const mean = data.reduce((a, b) => a + b) / data.length;
  const inside = (at: number) => (mask: { begin: number; end: number }) => at >= mask.begin && at < mask.end;
  for (const [i, x] of masked.data.entries()) {
    const under = time.some(inside(Math.floor(i / width))) || frequency.some(inside(i % width));
    if (Math.abs(x - (under ? mean : data[i]!)) > 1e-5) t.fail(`${i}: ${x}`);
  }
  const zero = maskFeatures(view(data, [frames, width]), createRandom(5), { ...options, fill: 0 });
  t.ok(zero.data.some((x) => x === 0));
  t.throws(() => maskFeatures(view(data, [frames * width]), Math.random, options), ShapeError);
});

t.test('warping moves peaks by its factor', async (t) => {
  const hertz = Float64Array.from({ length: 80 }, (_, f) => 100 * 1.045 ** f);
  const peakAt = (at: number) => Float32Array.from(hertz, (f) => Math.exp(-((Math.log(f / at) / 0.15) ** 2)));
  for (const factor of [0.85, 0.95, 1.1, 1.2]) {
    const out = warpFeatures(view(peakAt(700), [1, 80]), hertz, factor).data as Float32Array;
    const wanted = peakAt(700 * factor);
    t.ok(
      out.every((x, f) => Math.abs(x - wanted[f]!) < 0.06),
      `${factor}`,
    );
  }
  const rows = view(
    Float32Array.from({ length: 160 }, (_, i) => i),
    [2, 80],
  );
  t.same(warpFeatures(rows, hertz, 1).data, rows.data, 'a factor of 1 changes nothing');
  const warped = warpFeatures(rows, hertz, 1.2).data;
  t.equal(warped[79], 79, 'the ends stay');
  t.throws(() => warpFeatures(rows, hertz.subarray(1), 1), ShapeError);
  t.throws(() => warpFeatures(rows, hertz, 3), UsageError);
});

t.test('shifts lose what goes out, rotations lose nothing', async (t) => {
  const x = Float32Array.of(1, 2, 3, 4);
  t.same(shift(x, 1), [0, 1, 2, 3]);
  t.same(shift(x, -3), [4, 0, 0, 0]);
  t.same([...shift(x, 4), ...shift(x, -9)], new Array(8).fill(0));
  t.same(rotate(x, 1), [4, 1, 2, 3]);
  t.same(rotate(x, -5), [2, 3, 4, 1]);
  t.same(rotate(rotate(x, 7), -7), x);
  t.equal(rotate(new Float32Array(0), 1).length, 0);
});

t.test('mixtures', async (t) => {
  t.same(mix(Float32Array.of(4, 8), Float32Array.of(2, 2, 2), 0.25), [2.5, 3.5, 1.5]);
  t.throws(() => mix(new Float32Array(1), new Float32Array(1), 1.1), UsageError);
  for (const shape of [0.2, 1, 8]) {
    const random = createRandom(3);
    const drawn = Array.from({ length: 4000 }, () => beta(random, shape));
    const mean = drawn.reduce((a, b) => a + b) / drawn.length;
    const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / drawn.length;
    t.ok(drawn.every((x) => x >= 0 && x <= 1));
    t.ok(Math.abs(mean - 0.5) < 0.03, `mean ${mean}`);
    const wanted = 1 / (4 * (2 * shape + 1));
    t.ok(Math.abs(variance / wanted - 1) < 0.1, `shape ${shape}: variance ${variance} for ${wanted}`);
  }
  t.throws(() => beta(Math.random, 0), UsageError);
});

t.test('clipping and coarse steps', async (t) => {
  t.same(clip(Float32Array.of(-2, -0.25, 0.25, 2), 0.5), [-0.5, -0.25, 0.25, 0.5]);
  t.throws(() => clip(new Float32Array(1), 0), UsageError);
  t.same(quantize(Float32Array.of(-2, 0.1, 0.3, 0.9), 3), [-1, 0, 0.25, 0.75]);
  t.throws(() => quantize(new Float32Array(1), 1), UsageError);
  const property = fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (x) => {
    const y = muLaw(Float32Array.of(x))[0]!;
    // Half a step on the logarithmic scale
    const most = (Math.abs(x) + 1 / 255) * (256 ** (0.5 / 128) - 1) * 1.03;
    return Math.abs(y - x) <= most;
  });
  fc.assert(property, { seed: 2 });
  t.same(muLaw(Float32Array.of(0, 3, -3)), [0, 1, -1]);
  t.equal(
    new Set(
      muLaw(
        Float32Array.from({ length: 9999 }, (_, i) => i / 9999),
        16,
      ),
    ).size,
    9,
  );
  t.throws(() => muLaw(new Float32Array(1), 1.5), UsageError);
});

t.test('draws', async (t) => {
  const random = createRandom(9);
  const seen = new Set(Array.from({ length: 200 }, () => integer(random, [2, 5])));
  t.same([...seen].sort(), [2, 3, 4, 5]);
  const order = shuffled(random, [1, 2, 3, 4, 5, 6]);
  t.same([...order].sort(), [1, 2, 3, 4, 5, 6]);
  t.throws(() => choose(random, []), UsageError);
});
