/** Rooms by their energy decay, and convolution against its definition. */
import fc from 'fast-check';
import t from 'tap';
import { createRandom, UsageError } from '../../../src/tensor/index.js';
import {
  convolve,
  drawRoom,
  meanPower,
  type Room,
  reverberate,
  roomResponse,
  whiteNoise,
} from '../../../src/training/augmentation/index.js';

t.test('convolution', async (t) => {
  const property = fc.property(
    fc.integer({ min: 0, max: 700 }),
    fc.integer({ min: 1, max: 300 }),
    fc.nat(),
    (length, taps, seed) => {
      const random = createRandom(seed);
      const [x, h] = [whiteNoise(length, random), whiteNoise(taps, random)];
      const out = convolve(x, h);
      for (let n = 0; n < length; n++) {
        let sum = 0;
        for (let k = 0; k <= Math.min(n, taps - 1); k++) sum += h[k]! * x[n - k]!;
        if (Math.abs(out[n]! - sum) > 1e-5) return false;
      }
      return out.length === length;
    },
  );
  fc.assert(property, { seed: 4 });
  t.pass();
});

const ROOM: Room = { decaySeconds: 0.4, directDecibels: 0, firstReflectionSeconds: 0.005, damping: 0 };

t.test('the energy of a room decays by 60 dB in its time', async (t) => {
  for (const decaySeconds of [0.2, 0.4, 0.8]) {
    for (let seed = 0; seed < 5; seed++) {
      const response = roomResponse({ ...ROOM, decaySeconds }, 8000, createRandom(seed));
      // Schroeder's backward integration, from after the early reflections to where 10 dB of the response are left
      const energy = new Float64Array(response.length + 1);
      for (let n = response.length - 1; n >= 0; n--) energy[n] = energy[n + 1]! + response[n]! ** 2;
      const [from, to] = [0.055 * 8000, (0.055 + decaySeconds / 4) * 8000];
      const fall = 10 * Math.log10(energy[Math.round(from)]! / energy[Math.round(to)]!);
      const found = ((to - from) / 8000 / fall) * 60;
      t.ok(Math.abs(found / decaySeconds - 1) < 0.2, `${decaySeconds} s: ${found.toFixed(3)}`);
    }
  }
});

t.test('direct sound and the rest', async (t) => {
  for (const directDecibels of [-3, 5, 15]) {
    const response = roomResponse({ ...ROOM, directDecibels, damping: 0.5 }, 16000, createRandom(7));
    const rest = response.subarray(1).reduce((sum, x) => sum + x * x, 0);
    t.equal(response[0], 1);
    t.ok(Math.abs(10 * Math.log10(1 / rest) - directDecibels) < 0.01);
    t.ok(
      response.subarray(1, 80).every((x) => x === 0),
      'nothing before the first reflection',
    );
  }
  t.throws(() => roomResponse({ ...ROOM, decaySeconds: 0 }, 8000, Math.random), UsageError);
  t.throws(() => roomResponse({ ...ROOM, damping: 1 }, 8000, Math.random), UsageError);
});

t.test('high frequencies decay faster where there is damping', async (t) => {
  // Power of differences over power: grows with the frequency. 60 ms on, no early reflections are left.
  const roughness = (damping: number) => {
    const part = roomResponse({ ...ROOM, damping }, 8000, createRandom(1)).subarray(480, 1000);
    return meanPower(part.subarray(1).map((x, n) => x - part[n]!)) / meanPower(part);
  };
  t.ok(
    roughness(0.3) < 0.9 * roughness(0) && roughness(0.6) < 0.7 * roughness(0),
    `${[0, 0.3, 0.6].map(roughness)}`,
  );
});

t.test('in a room, power and place of the direct sound stay', async (t) => {
  const random = createRandom(11);
  for (let i = 0; i < 10; i++) {
    const response = roomResponse(drawRoom(random), 8000, random);
    const samples = new Float32Array(4000);
    samples.set(whiteNoise(1000, random), 1500);
    const out = reverberate(samples, response);
    t.equal(out.length, samples.length);
    t.ok(Math.abs(meanPower(out) / meanPower(samples) - 1) < 1e-3);
    t.ok(out.subarray(0, 1500).every((x) => Math.abs(x) < 1e-6));
    t.ok(Math.abs(out[1500]!) > 1e-3);
  }
  t.ok(reverberate(new Float32Array(10), Float32Array.of(1, 0.5)).every((x) => x === 0));
});
