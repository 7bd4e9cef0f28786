/** Colouring against what sines of one frequency become, and noise against the ratio that was asked for. */
import fc from 'fast-check';
import t from 'tap';
import { createRandom, UsageError } from '../../../src/tensor/index.js';
import {
  activePower,
  addNoise,
  bandLimit,
  cutNoise,
  deviceColour,
  filter,
  gain,
  highPass,
  lowPass,
  meanPower,
  peak,
  pinkNoise,
  responseAt,
  spectralTilt,
  telephoneBand,
  whiteNoise,
} from '../../../src/training/augmentation/index.js';
import { amplitudeAt, averageSpectrum, sine } from '../../support/spectra.js';

const decibels = (amplitude: number): number => 20 * Math.log10(amplitude);

/** What a filter makes of a sine, in decibels, once it has settled. */
function levelAfter(hertz: number, rate: number, work: (samples: Float32Array) => Float32Array): number {
  return decibels(amplitudeAt(work(sine(hertz, rate, rate)).subarray(rate / 4), hertz, rate));
}

t.test('a tilt has its slope at every octave, and 0 dB at 1 kHz', async (t) => {
  for (const rate of [8000, 16000]) {
    for (const slope of [-6, -3, 1.5, 3, 6]) {
      for (let hertz = 125; hertz <= 0.36 * rate; hertz *= 2) {
        const wanted = slope * Math.log2(hertz / 1000);
        const found = levelAfter(hertz, rate, (samples) => spectralTilt(samples, rate, slope));
        const most = 0.35 + 0.12 * Math.abs(wanted);
        t.ok(
          Math.abs(found - wanted) < most,
          `${rate}: ${slope} dB an octave at ${hertz}: ${found.toFixed(2)}`,
        );
      }
    }
  }
});

t.test('filters do what their response says, and their response what filters of that kind do', async (t) => {
  const rate = 16000;
  const sections = [lowPass(3000, rate), highPass(300, rate), peak(1200, rate, 6, 2)];
  for (const hertz of [100, 300, 1200, 3000, 6000]) {
    const found = levelAfter(hertz, rate, (samples) => filter(samples, sections));
    t.ok(Math.abs(found - decibels(responseAt(sections, hertz, rate))) < 0.05, `${hertz} Hz`);
  }
  t.ok(
    Math.abs(decibels(responseAt([lowPass(2000, rate)], 2000, rate)) + 3.01) < 0.01,
    'half power at the limit',
  );
  t.ok(Math.abs(decibels(responseAt([highPass(2000, rate)], 2000, rate)) + 3.01) < 0.01);
  t.ok(Math.abs(decibels(responseAt([peak(2000, rate, -9, 1)], 2000, rate)) + 9) < 1e-9);
  t.throws(() => lowPass(8000, rate), UsageError);
  t.throws(() => peak(0, rate, 1, 1), UsageError);
});

t.test('bands', async (t) => {
  const telephone = (hertz: number) => levelAfter(hertz, 16000, (samples) => telephoneBand(samples, 16000));
  t.ok(Math.abs(telephone(1000)) < 0.1);
  t.ok(Math.abs(telephone(300) + 3) < 0.2);
  t.ok(Math.abs(telephone(3400) + 3) < 0.2);
  t.ok(telephone(75) < -40 && telephone(7000) < -30);
  t.ok(
    Math.abs(levelAfter(3900, 8000, (samples) => bandLimit(samples, 8000, [0, 4000]))) < 0.01,
    'no limits',
  );
});

t.test('a device colours within its bounds', async (t) => {
  for (let seed = 0; seed < 20; seed++) {
    const random = createRandom(seed);
    const samples = sine(900, 8000, 4000);
    const level = decibels(
      amplitudeAt(deviceColour(samples, 8000, random, { peaks: 2, most: 5 }), 900, 8000),
    );
    t.ok(Math.abs(level) < 10.5, level.toFixed(1));
  }
});

t.test('noise is added at its ratio', async (t) => {
  const property = fc.property(
    fc.integer({ min: 1, max: 1 << 30 }),
    fc.double({ min: -20, max: 60, noNaN: true }),
    fc.integer({ min: 400, max: 3000 }),
    (seed, snr, length) => {
      const random = createRandom(seed);
      const speech = gain(whiteNoise(length, random), -20);
      const noise = gain(pinkNoise(length, 8000, random), -40);
      const together = addNoise(speech, noise, snr);
      const added = together.map((x, n) => x - speech[n]!);
      const found = 10 * Math.log10(meanPower(speech) / meanPower(added));
      return Math.abs(found - snr) < 0.1;
    },
  );
  fc.assert(property, { seed: 1, numRuns: 200 });
  const speech = new Float32Array(8000);
  speech.set(sine(500, 8000, 2000), 3000);
  const together = addNoise(speech, whiteNoise(8000, createRandom(2)), 10, activePower(speech, 8000));
  const before = meanPower(together.subarray(0, 3000));
  t.ok(Math.abs(10 * Math.log10(0.5 / before) - 10) < 0.2, 'silence around speech does not count');
  t.ok(
    addNoise(speech, new Float32Array(8000), 0).every((x, n) => x === speech[n]),
    'silent noise',
  );
  t.same(addNoise(new Float32Array(2), Float32Array.of(1, 1), 0), new Float32Array(2), 'silent speech');
  t.throws(() => addNoise(speech, new Float32Array(3), 0), UsageError);
});

t.test('colours of noise', async (t) => {
  const slope = (noise: Float32Array): number => {
    const powers = averageSpectrum(noise, 512);
    const band = (from: number) => powers.slice(from, 2 * from).reduce((a, b) => a + b, 0) / from;
    return (10 * Math.log10(band(96) / band(6))) / 4;
  };
  t.ok(Math.abs(slope(whiteNoise(80_000, createRandom(3)))) < 0.15);
  t.ok(Math.abs(slope(pinkNoise(80_000, 8000, createRandom(3))) + 3) < 0.4);
});

t.test('a piece of noise, of recordings longer and shorter than it', async (t) => {
  const noise = Float32Array.from({ length: 10 }, (_, n) => n);
  for (let seed = 0; seed < 30; seed++) {
    const piece = cutNoise(noise, 4, createRandom(seed));
    t.ok(piece.every((x, n) => x === piece[0]! + n) && piece[0]! <= 6, `${piece}`);
    const longer = cutNoise(noise, 25, createRandom(seed));
    t.ok(longer.every((x, n) => x === (longer[0]! + n) % 10));
  }
  t.throws(() => cutNoise(new Float32Array(0), 1, Math.random), UsageError);
});

t.test('gain', async (t) => {
  const samples = sine(300, 8000, 800);
  t.ok(Math.abs(10 * Math.log10(meanPower(gain(samples, -7)) / meanPower(samples)) + 7) < 1e-4);
  t.same(gain(samples, 0), samples);
});
