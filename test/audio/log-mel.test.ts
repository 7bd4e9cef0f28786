import fc from 'fast-check';
import t from 'tap';
import { FloatQueue } from '../../src/audio/float-queue.js';
import { type FrontEndConfig, floorFeatures, frameCount, LogMel } from '../../src/audio/index.js';
import { UsageError } from '../../src/tensor/index.js';

const config: FrontEndConfig = {
  sampleRate: 8000,
  fftSize: 256,
  windowSamples: 200,
  hopSamples: 80,
  mels: 40,
  minHertz: 0,
  maxHertz: 4000,
  spectrum: 'power',
  compression: 'decibel',
  topDecibels: 80,
};

const tone = (samples: number) =>
  Float32Array.from({ length: samples }, (_, n) => Math.sin(n / 3) + 0.1 * Math.sin(n));

t.test('pieces of any length give the frames of the whole, bit for bit', async (t) => {
  for (const settings of [config, { ...config, fftSize: 200 }, { ...config, fftSize: 201, hopSamples: 67 }]) {
    const logMel = new LogMel(settings);
    const property = fc.property(
      fc.integer({ min: 0, max: 3000 }),
      fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 12 }),
      (length, sizes) => {
        const samples = tone(length);
        const whole = logMel.frames(samples);
        const stream = logMel.stream();
        const pieces: number[] = [];
        let at = 0;
        for (const size of [...sizes, length]) {
          pieces.push(...stream.push(samples.subarray(at, Math.min(length, at + size))).data);
          at = Math.min(length, at + size);
        }
        pieces.push(...stream.finish().data);
        return (
          whole.shape[0] === frameCount(settings, length) &&
          pieces.length === whole.data.length &&
          pieces.every((x, i) => x === whole.data[i])
        );
      },
    );
    fc.assert(property, { seed: 2, numRuns: 60 });
  }
  t.pass();
});

t.test('a sample that is no number spoils the frames that hold it, and no others', async (t) => {
  for (const bad of [Number.NaN, Infinity]) {
    for (const compression of ['decibel', 'log1p', 'none'] as const) {
      const logMel = new LogMel({ ...config, compression });
      const samples = tone(2000);
      const clean = logMel.frames(samples);
      samples[1000] = bad;
      const { mels, hopSamples, windowSamples } = config;
      logMel.frames(samples).data.forEach((x, i) => {
        const centre = Math.floor(i / mels) * hopSamples;
        const distance = Math.abs(1000 - centre);
        // Under the zeros on both sides of the window the product with infinity is NaN too.
        if (distance < windowSamples / 2 && Number.isFinite(x)) t.fail(`${bad}: ${x} at ${i}`);
        if (distance > config.fftSize / 2 && x !== clean.data[i]) t.fail(`${bad}: changed at ${i}`);
      });
    }
  }
  t.pass();
});

t.test('a queue gives back what came in, in order', async (t) => {
  const steps = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.double({ min: 0, max: 1, noNaN: true })),
  );
  const property = fc.property(steps, (sizes) => {
    const queue = new FloatQueue();
    let [next, oldest] = [0, 0];
    return sizes.every(([size, part]) => {
      queue.append(Float32Array.from({ length: size }, () => next++));
      const dropped = Math.floor(part * queue.length);
      queue.drop(dropped);
      oldest += dropped;
      const waiting = queue.data.subarray(queue.start, queue.start + queue.length);
      return waiting.length === next - oldest && waiting.every((x, i) => x === oldest + i);
    });
  });
  fc.assert(property, { seed: 4 });
  t.pass();
});

t.test('the floor is 80 dB below the largest feature', async (t) => {
  const features = Float32Array.from([0, -79, -81, -200]);
  floorFeatures(features, 80);
  t.same([...features], [0, -79, -80, -80]);
  floorFeatures(features, null);
  t.same([...features], [0, -79, -80, -80]);
});

t.test('settings that make no sense are named', async (t) => {
  const wrong: Partial<FrontEndConfig>[] = [
    { sampleRate: 0 },
    { fftSize: 1e9 },
    { fftSize: 2.5 },
    { windowSamples: 300 },
    { hopSamples: 0 },
    { mels: -1 },
    { minHertz: 5000 },
  ];
  for (const change of wrong) {
    t.throws(() => new LogMel({ ...config, ...change }), UsageError, JSON.stringify(change));
  }
});
