/**
 * Colouring of sound by recursive filters of first and second order, a few operations a sample.
 * Second-order sections: R. Bristow-Johnson, Cookbook formulae for audio EQ biquad filter coefficients.
 * Tilt: J. O. Smith and H. F. Smith, Closed form fractional integration and differentiation via real exponentially
 * spaced pole-zero pairs, arXiv:1606.06154.
 */
import { UsageError } from '../../tensor/index.js';
import { type Random, type Range, uniform } from './random.js';

/** y[n] = b0 x[n] + b1 x[n-1] + b2 x[n-2] - a1 y[n-1] - a2 y[n-2] */
export interface Biquad {
  readonly b0: number;
  readonly b1: number;
  readonly b2: number;
  readonly a1: number;
  readonly a2: number;
}

/** Runs filters one after another, from rest. The result is as long as the input. */
export function filter(samples: Float32Array, sections: readonly Biquad[]): Float32Array<ArrayBuffer> {
  const out = Float32Array.from(samples);
  for (const { b0, b1, b2, a1, a2 } of sections) {
    // Transposed direct form II: two numbers of state.
    let [s1, s2] = [0, 0];
    for (let n = 0; n < out.length; n++) {
      const x = out[n]!;
      const y = b0 * x + s1;
      s1 = b1 * x - a1 * y + s2;
      s2 = b2 * x - a2 * y;
      out[n] = y;
    }
  }
  return out;
}

function requireFrequency(what: string, hertz: number, sampleRate: number): void {
  if (hertz > 0 && hertz < sampleRate / 2) return;
  throw new UsageError(`${what}: ${hertz} Hz is not between 0 and half of ${sampleRate} samples a second`);
}

/** What the cookbook calls w0 and alpha. */
function angleOf(hertz: number, sampleRate: number, quality: number) {
  const angle = (2 * Math.PI * hertz) / sampleRate;
  return { cosine: Math.cos(angle), alpha: Math.sin(angle) / (2 * quality) };
}

const section = (a0: number, b0: number, b1: number, b2: number, a1: number, a2: number): Biquad => ({
  b0: b0 / a0,
  b1: b1 / a0,
  b2: b2 / a0,
  a1: a1 / a0,
  a2: a2 / a0,
});

/** Keeps what is below `hertz`, 12 dB an octave; the default quality is Butterworth's. */
export function lowPass(hertz: number, sampleRate: number, quality = Math.SQRT1_2): Biquad {
  requireFrequency('lowPass', hertz, sampleRate);
  const { cosine, alpha } = angleOf(hertz, sampleRate, quality);
  return section(1 + alpha, (1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2, -2 * cosine, 1 - alpha);
}

/** Keeps what is above `hertz`, 12 dB an octave. */
export function highPass(hertz: number, sampleRate: number, quality = Math.SQRT1_2): Biquad {
  requireFrequency('highPass', hertz, sampleRate);
  const { cosine, alpha } = angleOf(hertz, sampleRate, quality);
  return section(1 + alpha, (1 + cosine) / 2, -1 - cosine, (1 + cosine) / 2, -2 * cosine, 1 - alpha);
}

/** Raises or lowers what is around `hertz` by `decibels`; a larger quality is narrower. */
export function peak(hertz: number, sampleRate: number, decibels: number, quality: number): Biquad {
  requireFrequency('peak', hertz, sampleRate);
  const { cosine, alpha } = angleOf(hertz, sampleRate, quality);
  const a = 10 ** (decibels / 40);
  return section(1 + alpha / a, 1 + alpha * a, -2 * cosine, 1 - alpha * a, -2 * cosine, 1 - alpha / a);
}

/** Band in which a tilt has its slope, as parts of half the sample rate. */
const TILT_BAND: Range = [1 / 80, 0.9];
const TILT_PAIRS = 6;

/**
 * A slope of the spectrum of `decibelsPerOctave` (-6 to 6 are reached well), 0 dB at 1 kHz or, where the rate does not
 * reach that, at half of the highest frequency.
 */
export function spectralTilt(
  samples: Float32Array,
  sampleRate: number,
  decibelsPerOctave: number,
): Float32Array<ArrayBuffer> {
  const [low, high] = TILT_BAND.map((part) => (part * sampleRate) / 2) as [number, number];
  // A pole below a zero is a step up, by their ratio; equal steps at equal distances make up the slope.
  const ratio = (high / low) ** (1 / (TILT_PAIRS - 1));
  const step = ratio ** (decibelsPerOctave / (20 * Math.log10(2)) / 2);
  const sections = Array.from({ length: TILT_PAIRS }, (_, i): Biquad => {
    const centre = Math.tan((Math.PI * low * ratio ** i) / sampleRate);
    const [pole, zero] = [centre * step, centre / step];
    // (s + zero) / (s + pole), bilinear
    return section(1 + pole, 1 + zero, zero - 1, 0, pole - 1, 0);
  });
  const level = 1 / responseAt(sections, Math.min(1000, sampleRate / 4), sampleRate);
  const [first, ...others] = sections as [Biquad, ...Biquad[]];
  const levelled = { ...first, b0: first.b0 * level, b1: first.b1 * level };
  return filter(samples, [levelled, ...others]);
}

/** Magnitude of the response of filters one after another. */
export function responseAt(sections: readonly Biquad[], hertz: number, sampleRate: number): number {
  const w = (2 * Math.PI * hertz) / sampleRate;
  const magnitude = (c0: number, c1: number, c2: number) =>
    Math.hypot(c0 + c1 * Math.cos(w) + c2 * Math.cos(2 * w), c1 * Math.sin(w) + c2 * Math.sin(2 * w));
  return sections.reduce(
    (product, { b0, b1, b2, a1, a2 }) => (product * magnitude(b0, b1, b2)) / magnitude(1, a1, a2),
    1,
  );
}

/** What a telephone passes: 300 to 3,400 Hz, 24 dB an octave on either side. */
export function telephoneBand(samples: Float32Array, sampleRate: number): Float32Array<ArrayBuffer> {
  return bandLimit(samples, sampleRate, [300, 3400]);
}

/** Qualities of the two sections of a Butterworth filter of fourth order. */
const FOURTH_ORDER = [0.541196100146197, 1.306562964876377];

/** Passes a band, 24 dB an octave on either side. A limit that is 0, or half the sample rate or more, is none. */
export function bandLimit(
  samples: Float32Array,
  sampleRate: number,
  [low, high]: Range,
): Float32Array<ArrayBuffer> {
  const below = low > 0 ? FOURTH_ORDER.map((quality) => highPass(low, sampleRate, quality)) : [];
  const above =
    high < sampleRate / 2 ? FOURTH_ORDER.map((quality) => lowPass(high, sampleRate, quality)) : [];
  return filter(samples, [...below, ...above]);
}

/** The response of some microphone and loudspeaker: `peaks` smooth bumps and dips of up to `most` decibels. */
export function deviceColour(
  samples: Float32Array,
  sampleRate: number,
  random: Random,
  { peaks = 3, most = 8 }: { readonly peaks?: number; readonly most?: number } = {},
): Float32Array<ArrayBuffer> {
  const [low, high] = [100, 0.45 * sampleRate].map(Math.log2) as [number, number];
  const sections = Array.from({ length: peaks }, () =>
    peak(
      2 ** uniform(random, [low, high]),
      sampleRate,
      uniform(random, [-most, most]),
      2 ** uniform(random, [-1, 1]),
    ),
  );
  return filter(samples, sections);
}
