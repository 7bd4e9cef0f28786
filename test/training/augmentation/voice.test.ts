/** Speed, tempo, pitch and formants, on sounds whose pitch and formants are known. */
import t from 'tap';
import { UsageError } from '../../../src/tensor/index.js';
import {
  changePitch,
  changeSpeed,
  changeTempo,
  filter,
  meanPower,
  peak,
  shiftFormants,
} from '../../../src/training/augmentation/index.js';
import { amplitudeAt, averageSpectrum, loudestHertz, sine } from '../../support/spectra.js';

const RATE = 8000;
const FACTORS = [0.8, 0.93, 1.1, 1.25];
const middle = (samples: Float32Array): Float32Array =>
  samples.subarray(samples.length >> 3, samples.length - (samples.length >> 3));

/** A voice: pulses at `pitch` hertz through one resonance at `formant`. */
function voice(pitch: number, formant: number, length: number): Float32Array {
  const pulses = new Float32Array(length);
  for (let at = 0; at < length; at += RATE / pitch) pulses[Math.round(at)] = 1;
  return filter(pulses, [peak(formant, RATE, 30, 3)]);
}

/** Mean frequency of the power above 10 dB under the largest: where the formant is. */
function formantOf(samples: Float32Array): number {
  const powers = averageSpectrum(samples, 512);
  const width = 16;
  const smooth = powers.map((_, f) =>
    powers.subarray(Math.max(0, f - width), f + width + 1).reduce((a, b) => a + b, 0),
  );
  const largest = Math.max(...smooth);
  let [sum, weights] = [0, 0];
  for (const [f, power] of smooth.entries()) {
    if (power < largest / 2) continue;
    sum += f * power;
    weights += power;
  }
  return ((sum / weights) * RATE) / 512;
}

/** Time between two pulses, in samples, by autocorrelation. */
function periodOf(samples: Float32Array): number {
  let [best, score] = [0, Number.NEGATIVE_INFINITY];
  for (let lag = 30; lag < 140; lag++) {
    let sum = 0;
    for (let n = lag; n < samples.length; n++) sum += samples[n]! * samples[n - lag]!;
    if (sum > score * 1.02) [best, score] = [lag, sum];
  }
  return best;
}

t.test('speed moves frequencies, and nothing comes back from beyond the limit', async (t) => {
  for (const factor of FACTORS) {
    const out = changeSpeed(sine(700, RATE, RATE), factor);
    t.equal(out.length, Math.ceil(RATE / factor));
    t.ok(Math.abs(amplitudeAt(middle(out), 700 * factor, RATE) - 1) < 0.01, `700 Hz at ${factor}`);
    const exact = sine(700 * factor, RATE, out.length);
    t.ok(
      middle(out.map((x, n) => x - exact[n]!)).every((x) => Math.abs(x) < 0.01),
      'sample by sample',
    );
  }
  t.ok(meanPower(middle(changeSpeed(sine(3700, RATE, RATE), 1.25))) < 1e-4, '3,700 Hz at 1.25 is gone');
  t.same(changeSpeed(Float32Array.of(1, 2), 1), [1, 2]);
  t.equal(changeSpeed(new Float32Array(0), 1.1).length, 0);
  for (const factor of [0, -1, Number.NaN, 11])
    t.throws(() => changeSpeed(sine(1, 8, 8), factor), UsageError);
});

t.test('tempo alone', async (t) => {
  for (const pitch of [95, 140, 230]) {
    const source = voice(pitch, 900, 2 * RATE);
    for (const factor of FACTORS) {
      const out = changeTempo(source, RATE, factor);
      t.equal(out.length, Math.round(source.length / factor));
      const period = periodOf(middle(out));
      t.ok(Math.abs(period / (RATE / pitch) - 1) < 0.03, `${pitch} Hz at ${factor}: period ${period}`);
      const ratio = meanPower(middle(out)) / meanPower(middle(source));
      t.ok(ratio > 0.8 && ratio < 1.2, `power ${ratio.toFixed(2)}`);
      t.ok(Math.abs(formantOf(out) / formantOf(source) - 1) < 0.03);
    }
  }
  const long = sine(440, RATE, RATE);
  t.ok(changeTempo(long, RATE, 1).every((x, n) => x === long[n]));
  t.equal(changeTempo(new Float32Array(30), RATE, 1.5).length, 20, 'shorter than a piece');
  t.throws(() => changeTempo(long, RATE, 0), UsageError);
});

t.test('what begins late begins late at another tempo', async (t) => {
  const source = new Float32Array(2 * RATE);
  source.set(sine(500, RATE, RATE / 2), RATE);
  for (const factor of FACTORS) {
    const out = changeTempo(source, RATE, factor);
    const begin = out.findIndex((x) => Math.abs(x) > 0.3);
    t.ok(Math.abs(begin - RATE / factor) < 0.02 * RATE, `${begin} for ${RATE / factor}`);
  }
});

t.test('pitch alone', async (t) => {
  for (const factor of FACTORS) {
    const out = changePitch(sine(600, RATE, RATE), RATE, factor);
    t.equal(out.length, RATE);
    t.ok(Math.abs(loudestHertz(out, RATE) / (600 * factor) - 1) < 0.02, `${factor}`);
  }
});

t.test('formants alone', async (t) => {
  for (const pitch of [110, 190]) {
    const source = voice(pitch, 1400, 2 * RATE);
    for (const factor of FACTORS) {
      const out = shiftFormants(source, RATE, factor);
      t.equal(out.length, source.length);
      t.ok(Math.abs(periodOf(out) / (RATE / pitch) - 1) < 0.03, 'the pitch stays');
      const moved = formantOf(out) / formantOf(source);
      t.ok(Math.abs(moved / factor - 1) < 0.06, `${pitch} Hz: ${factor} moves by ${moved.toFixed(3)}`);
    }
  }
  const source = voice(120, 1000, RATE);
  const same = shiftFormants(source, RATE, 1 + 1e-9);
  t.ok(
    same.every((x, n) => Math.abs(x - source[n]!) < 1e-4),
    'a factor of almost 1 changes almost nothing',
  );
  t.ok(shiftFormants(source, RATE, 1).every((x, n) => x === source[n]));
  t.ok(
    shiftFormants(new Float32Array(1000), RATE, 1.2).every((x) => x === 0),
    'silence',
  );
});
