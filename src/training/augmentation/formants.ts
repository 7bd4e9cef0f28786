/**
 * Longer and shorter vocal tracts at the same pitch. Linear prediction gives the resonances of each short frame, an
 * all-pole envelope 1 / |A(f)|² (J. Makhoul, Linear prediction: a tutorial review, 1975). The envelope is moved along the
 * frequency axis and the spectrum multiplied by new over old one. Phases stay, so nothing is smeared in time; with a
 * factor of 1 the samples come back as they were.
 */
import { forward, inverse, transformOf } from './convolve.js';
import { requireFactor } from './speed.js';

/** Length of a frame; frames overlap by half. */
const FRAME_SECONDS = 0.032;
/** Two poles for each resonance, of which there is one in a kilohertz, and two for the slope. */
const orderOf = (sampleRate: number): number => 2 + Math.min(30, Math.round(sampleRate / 1000));
/** Envelopes are smoothed by about so much (a Gaussian on the autocorrelation): high voices have few harmonics. */
const SMOOTHING_HERTZ = 60;
/** Noise that is taken to be there, over the power of the frame: keeps the prediction stable. */
const LEAST_NOISE = 1e-4;
/** Ratio of new and old envelope, as power, at most; its inverse at least: 25 dB. */
const MOST_RATIO = 316;

/**
 * Coefficients 1, a[1] .. a[order] of the prediction error filter of an autocorrelation r[0] .. r[order], into `a`
 * (Levinson and Durbin).
 */
function predictor(r: Float64Array, order: number, a: Float64Array, last: Float64Array): void {
  a.fill(0);
  a[0] = 1;
  let error = r[0]!;
  for (let i = 1; i <= order; i++) {
    let sum = 0;
    for (let j = 0; j < i; j++) sum += a[j]! * r[i - j]!;
    const reflection = -sum / error;
    last.set(a);
    for (let j = 1; j <= i; j++) a[j] = last[j]! + reflection * last[i - j]!;
    error *= 1 - reflection * reflection;
  }
}

/** out[f] = x at f * step, between points in a straight line, beyond the last one as there. */
function interpolate(x: Float64Array, step: number, out: Float64Array): void {
  const last = x.length - 1;
  for (let f = 0; f < out.length; f++) {
    const at = Math.min(last, f * step);
    const i = Math.min(last - 1, Math.floor(at));
    out[f] = x[i]! + (at - i) * (x[i + 1]! - x[i]!);
  }
}

/** Samples whose formants lie `factor` times as high, at the same pitch and tempo. */
export function shiftFormants(
  samples: Float32Array,
  sampleRate: number,
  factor: number,
): Float32Array<ArrayBuffer> {
  requireFactor('shiftFormants', factor);
  if (factor === 1) return Float32Array.from(samples);
  const size = 2 ** Math.round(Math.log2(FRAME_SECONDS * sampleRate));
  const hop = size / 2;
  const transform = transformOf(size);
  const { frame, real, imaginary } = transform;
  const bins = real.length;
  // A few coefficients make a smooth envelope: fewer points tell all of it.
  const coarse = transformOf(Math.max(64, size / 4));
  const order = orderOf(sampleRate);
  // The root of a Hann window, before and after: squares of two neighbours sum to 1.
  const window = Float64Array.from({ length: size }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / size));
  const lagWindow = Float64Array.from({ length: order + 1 }, (_, k) =>
    k === 0 ? 1 + LEAST_NOISE : Math.exp(-0.5 * ((2 * Math.PI * SMOOTHING_HERTZ * k) / sampleRate) ** 2),
  );
  const lags = new Float64Array(order + 1);
  const coefficients = new Float64Array(order + 1);
  const spare = new Float64Array(order + 1);
  const windowed = new Float64Array(size);
  /** |A(f)|², what the old envelope is one over, at the points of the coarse transform. */
  const points = new Float64Array(coarse.real.length);
  /** The same at bin f, and at bin f / factor, where the new envelope comes from. */
  const inversePower = new Float64Array(bins);
  const moved = new Float64Array(bins);
  const scale = new Float64Array(bins);
  const out = new Float32Array(samples.length);
  const padded = new Float32Array(samples.length + 2 * size);
  padded.set(samples, hop);
  for (let from = -hop; from < samples.length; from += hop) {
    for (let n = 0; n < size; n++) windowed[n] = padded[from + hop + n]! * window[n]!;
    for (let k = 0; k <= order; k++) {
      let sum = 0;
      for (let n = k; n < size; n++) sum += windowed[n]! * windowed[n - k]!;
      lags[k] = sum * lagWindow[k]!;
    }
    if (lags[0] === 0) continue;
    predictor(lags, order, coefficients, spare);
    coarse.frame.fill(0);
    coarse.frame.set(coefficients);
    forward(coarse);
    for (let i = 0; i < points.length; i++) points[i] = coarse.real[i]! ** 2 + coarse.imaginary[i]! ** 2;
    const step = (points.length - 1) / (bins - 1);
    interpolate(points, step, inversePower);
    interpolate(points, step / factor, moved);
    for (let f = 0; f < bins; f++) {
      scale[f] = Math.sqrt(Math.max(1 / MOST_RATIO, Math.min(MOST_RATIO, inversePower[f]! / moved[f]!)));
    }
    frame.set(windowed);
    forward(transform);
    for (let f = 0; f < bins; f++) {
      real[f]! *= scale[f]!;
      imaginary[f]! *= scale[f]!;
    }
    inverse(transform);
    for (let n = Math.max(0, -from); n < size && from + n < out.length; n++) {
      out[from + n]! += frame[n]! * window[n]!;
    }
  }
  return out;
}
