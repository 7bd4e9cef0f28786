import fc from 'fast-check';
import t from 'tap';
import { createResampler, resample } from '../../src/audio/index.js';
import { AudioError } from '../../src/tensor/index.js';

const RATES = [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000, 44101];

t.test('pieces of any length give the samples of the whole, bit for bit', async (t) => {
  const property = fc.property(
    fc.constantFrom(...RATES),
    fc.constantFrom(8000, 16000, 44100),
    fc.integer({ min: 0, max: 2000 }),
    fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 10 }),
    (from, to, length, sizes) => {
      const samples = Float32Array.from({ length }, (_, n) => Math.sin(n * n));
      const whole = resample(samples, from, to);
      const stream = createResampler(from, to);
      const pieces: number[] = [];
      let at = 0;
      for (const size of [...sizes, length]) {
        pieces.push(...stream.push(samples.subarray(at, Math.min(length, at + size))));
        at = Math.min(length, at + size);
      }
      pieces.push(...stream.finish());
      return (
        whole.length === Math.ceil((length * to) / from) &&
        pieces.length === whole.length &&
        pieces.every((x, i) => x === whole[i])
      );
    },
  );
  fc.assert(property, { seed: 3 });
  t.pass();
});

t.test('tones below the new limit stay, tones above it go', async (t) => {
  const level = (hertz: number, from: number, to: number) => {
    const samples = Float32Array.from({ length: from }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / from));
    const out = resample(samples, from, to).subarray(to / 10, (9 * to) / 10);
    return Math.sqrt(out.reduce((sum, x) => sum + x * x, 0) / out.length) * Math.SQRT2;
  };
  for (const from of [16000, 44100, 192000]) {
    t.ok(Math.abs(level(1000, from, 8000) - 1) < 0.01, `1 kHz of ${from} is kept`);
    t.ok(level(5500, from, 8000) < 0.01, `5.5 kHz of ${from} is gone`);
  }
  t.ok(Math.abs(level(1000, 8000, 16000) - 1) < 0.01, '1 kHz is kept on the way up');
});

t.test('rates that no sound has', async (t) => {
  for (const rate of [0, -8000, 999, 8000.5, 1e6, Number.NaN]) {
    t.throws(() => resample(new Float32Array(1), rate, 8000), AudioError, String(rate));
    t.throws(() => resample(new Float32Array(1), 8000, rate), AudioError, String(rate));
  }
});
