import fc from 'fast-check';
import t from 'tap';
import {
  createStft,
  hammingWindow,
  type StftConfig,
  shortTimeFourierTransform,
} from '../../src/audio/index.js';
import { UsageError } from '../../src/tensor/index.js';

const settings: readonly StftConfig[] = [
  { fftSize: 256, windowSamples: 200, hopSamples: 80 },
  { fftSize: 64, windowSamples: 64, hopSamples: 64 },
  { fftSize: 201, windowSamples: 150, hopSamples: 67 },
];

const tone = (samples: number) =>
  Float32Array.from({ length: samples }, (_, n) => Math.sin(n / 3) + 0.1 * Math.sin(n * n));

t.test('pieces of any length give the frames of the whole, bit for bit', async (t) => {
  for (const config of settings) {
    const property = fc.property(
      fc.integer({ min: 0, max: 3000 }),
      fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 12 }),
      (length, sizes) => {
        const samples = tone(length);
        const whole = shortTimeFourierTransform(samples, config);
        const stream = createStft(config);
        const [real, imaginary]: [number[], number[]] = [[], []];
        let frames = 0;
        const take = (spectrum: typeof whole) => {
          frames += spectrum.real.shape[0]!;
          real.push(...spectrum.real.data);
          imaginary.push(...spectrum.imaginary.data);
        };
        let at = 0;
        for (const size of [...sizes, length]) {
          take(stream.push(samples.subarray(at, Math.min(length, at + size))));
          at = Math.min(length, at + size);
        }
        take(stream.finish());
        return (
          frames === 1 + Math.floor(length / config.hopSamples) &&
          whole.real.shape[0] === frames &&
          real.length === whole.real.data.length &&
          real.every((x, i) => Object.is(x, whole.real.data[i])) &&
          imaginary.every((x, i) => Object.is(x, whole.imaginary.data[i]))
        );
      },
    );
    fc.assert(property, { seed: 4, numRuns: 60 });
  }
  t.pass();
});

t.test('a frame comes as soon as its samples are there', async (t) => {
  const stream = createStft(settings[0]!);
  // Frame 0 reaches from sample -128 to sample 127.
  t.equal(stream.push(tone(127)).real.shape[0], 0);
  t.equal(stream.push(tone(1)).real.shape[0], 1);
  t.equal(stream.push(tone(80)).real.shape[0], 1);
});

t.test('frames by the definition', async (t) => {
  const samples = tone(500);
  for (const config of settings) {
    const { fftSize, windowSamples, hopSamples } = config;
    const { real, imaginary } = shortTimeFourierTransform(samples, config);
    const window = hammingWindow(windowSamples, fftSize);
    let largest = 0;
    for (const frame of [0, 1, 3, Math.floor(500 / hopSamples)]) {
      for (const bin of [0, 1, 7, Math.floor(fftSize / 2)]) {
        let [re, im] = [0, 0];
        for (let n = 0; n < fftSize; n++) {
          const x = (samples[frame * hopSamples - Math.floor(fftSize / 2) + n] ?? 0) * window[n]!;
          re += x * Math.cos((2 * Math.PI * bin * n) / fftSize);
          im -= x * Math.sin((2 * Math.PI * bin * n) / fftSize);
        }
        largest = Math.max(
          largest,
          Math.abs(re - real.get(frame, bin)),
          Math.abs(im - imaginary.get(frame, bin)),
        );
      }
    }
    t.ok(largest < 1e-10, `FFT of ${fftSize}: ${largest}`);
  }
});

t.test('settings that make no sense', async (t) => {
  const wrong: Partial<StftConfig>[] = [
    { hopSamples: 0 },
    { hopSamples: 257 },
    { windowSamples: 300 },
    { windowSamples: 1.5 },
    { fftSize: Number.NaN },
  ];
  for (const change of wrong) {
    const config = { ...settings[0]!, ...change };
    t.throws(() => createStft(config), UsageError, JSON.stringify(change));
    t.throws(() => shortTimeFourierTransform(tone(10), config), UsageError, JSON.stringify(change));
  }
});
