/** MFCC against the formula in float64, written apart, and against frames that TensorFlow's arithmetic gave. */
import fc from 'fast-check';
import t from 'tap';
import { checkMfcc, Mfcc, type MfccConfig, mfccFrameCount } from '../../src/audio/index.js';
import { createRandom, UsageError } from '../../src/tensor/index.js';
import { ARM_FOLDER, loadArmNetwork, readUtterance } from '../support/keywords.js';
import { shared, skipWithout } from '../support/shared.js';

const keywords: MfccConfig = {
  type: 'mfcc',
  sampleRate: 16_000,
  fftSize: 1024,
  windowSamples: 640,
  hopSamples: 320,
  mels: 40,
  minHertz: 20,
  maxHertz: 4000,
  coefficients: 10,
};
/** Lengths that are no powers of two, filters up to half the rate, all coefficients, windows apart from one another. */
const odd: MfccConfig = {
  type: 'mfcc',
  sampleRate: 8000,
  fftSize: 90,
  windowSamples: 75,
  hopSamples: 110,
  mels: 9,
  minHertz: 0,
  maxHertz: 4000,
  coefficients: 9,
};

const noise = (length: number, seed = 3) => {
  const random = createRandom(seed);
  return Float32Array.from({ length }, (_, n) => 0.3 * Math.sin(n / 5) + 0.1 * (random() - 0.5));
};

/** One frame by the definition: sums over samples, triangles between three points, sums over logarithms. */
function frameByFormula(config: MfccConfig, samples: Float32Array, t: number): number[] {
  const { sampleRate, fftSize, windowSamples, hopSamples, mels, minHertz, maxHertz, coefficients } = config;
  const mel = (hertz: number) => 1127 * Math.log(1 + hertz / 700);
  const bins = Math.floor(fftSize / 2) + 1;
  // TensorFlow spreads the bins of an odd length over half the rate, too
  const hertz = (f: number) => (f * sampleRate) / 2 / (bins - 1);
  const amplitude = Array.from({ length: bins }, (_, f) => {
    let [re, im] = [0, 0];
    for (let n = 0; n < windowSamples; n++) {
      const weight = Math.sin((Math.PI * n) / windowSamples) ** 2;
      const angle = (2 * Math.PI * f * n) / fftSize;
      re += weight * samples[t * hopSamples + n]! * Math.cos(angle);
      im -= weight * samples[t * hopSamples + n]! * Math.sin(angle);
    }
    return Math.hypot(re, im);
  });
  const point = (i: number) => mel(minHertz) + ((mel(maxHertz) - mel(minHertz)) * i) / (mels + 1);
  const logs = Array.from({ length: mels }, (_, m) => {
    let sum = 0;
    for (let f = 0; f < bins; f++) {
      if (f < Math.floor(1.5 + minHertz / hertz(1)) || hertz(f) > maxHertz) continue;
      const rising = (mel(hertz(f)) - point(m)) / (point(m + 1) - point(m));
      const falling = (point(m + 2) - mel(hertz(f))) / (point(m + 2) - point(m + 1));
      sum += amplitude[f]! * Math.max(0, Math.min(rising, falling));
    }
    return Math.log(Math.max(1e-12, sum));
  });
  return Array.from({ length: coefficients }, (_, i) =>
    logs.reduce(
      (sum, log, m) => sum + log * Math.sqrt(2 / mels) * Math.cos((Math.PI * i * (m + 0.5)) / mels),
      0,
    ),
  );
}

const largestDifference = (a: ArrayLike<number>, b: readonly number[]): number =>
  Math.max(...b.map((value, i) => Math.abs(value - a[i]!)));

t.test('the formula in float64', async (t) => {
  for (const config of [keywords, odd, { ...odd, minHertz: 150, maxHertz: 3100 }]) {
    const mfcc = new Mfcc(config);
    const samples = noise(config.windowSamples + 4 * config.hopSamples + 7);
    const frames = mfcc.frames(samples);
    t.same(frames.shape, [5, config.coefficients]);
    for (let frame = 0; frame < 5; frame++) {
      const got = frames.data.subarray(frame * config.coefficients, (frame + 1) * config.coefficients);
      const off = largestDifference(got, frameByFormula(config, samples, frame));
      t.ok(off < 5e-6, `frame ${frame} at ${config.sampleRate} Hz is ${off} off`);
    }
  }
});

t.test('digital silence is the floor', async (t) => {
  const { data } = new Mfcc(keywords).frames(new Float32Array(640));
  const level = Math.sqrt(40 * 2) * Math.log(1e-12);
  t.ok(Math.abs(data[0]! - level) < 1e-4, `${data[0]}, expected ${level}`);
  t.ok(data.subarray(1).every((value) => Math.abs(value) < 1e-4));
});

t.test('frames are those that are whole, and each is its own samples and no others', async (t) => {
  const mfcc = new Mfcc(odd);
  const property = fc.property(fc.integer({ min: 0, max: 12_000 }), fc.nat(), (length, pick) => {
    const samples = noise(length, length);
    const frames = mfcc.frames(samples);
    const count = mfccFrameCount(odd, length);
    if (frames.shape[0] !== count) return false;
    // the next one would reach past the end
    if (count * odd.hopSamples + odd.windowSamples <= length) return false;
    if (count === 0) return length < odd.windowSamples;
    const t = pick % count;
    const alone = mfcc.frames(samples.slice(t * odd.hopSamples, t * odd.hopSamples + odd.windowSamples));
    return (
      alone.shape[0] === 1 && alone.data.every((value, i) => value === frames.data[t * odd.coefficients + i])
    );
  });
  fc.assert(property, { seed: 4, numRuns: 100 });
  t.equal(mfccFrameCount(odd, 74), 0);
  t.equal(mfccFrameCount(odd, 75), 1);
  t.equal(mfccFrameCount(odd, 75 + 110 * 99), 100);
});

t.test('configurations that make no sense', async (t) => {
  const wrong: Partial<MfccConfig>[] = [
    { sampleRate: 0 },
    { fftSize: 2 ** 17 },
    { fftSize: 1, windowSamples: 1 },
    { windowSamples: 1025 },
    { windowSamples: 0.5 },
    { hopSamples: 0 },
    { hopSamples: 2 ** 20 },
    { mels: 5000 },
    { minHertz: -1 },
    { minHertz: 4000 },
    { maxHertz: 8001 },
    { maxHertz: Number.NaN },
    { coefficients: 41 },
    { coefficients: 0 },
  ];
  for (const change of wrong) t.throws(() => new Mfcc({ ...keywords, ...change }), UsageError, change);
  t.doesNotThrow(() => checkMfcc(keywords));
});

t.test('frames that came with the networks', { skip: skipWithout(ARM_FOLDER) }, async (t) => {
  const { frontEnd, reference } = loadArmNetwork('CNN_S');
  t.same(frontEnd, keywords);
  const utterance = await readUtterance(shared(`data/${reference.clip}`));
  const { data, shape } = new Mfcc(frontEnd).frames(utterance);
  t.same(shape, [49, 10]);
  for (const [what, from, expected] of [
    ['first', 0, reference.mfcc_first_frame],
    ['last', 480, reference.mfcc_last_frame],
  ] as const) {
    const off = largestDifference(data.subarray(from, from + 10), expected);
    t.ok(off < 1e-5, `${what} frame: ${off} off`);
  }
});
