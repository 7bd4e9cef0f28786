/**
 * Longer and shorter vocal tracts at the same pitch. Of each short frame the spectral envelope (the power spectrum,
 * smoothed until no harmonics are left) is moved along the frequency axis, and the spectrum is multiplied by new over old
 * envelope. Phases stay, so nothing is smeared in time; with a factor of 1 the samples come back as they were.
 */
import { forward, inverse, transformOf } from './convolve.js';
import { requireFactor } from './speed.js';

/** Length of a frame; frames overlap by half. */
const FRAME_SECONDS = 0.032;
/** The envelope is smoothed by a triangle of this half-width, more than the distance of most harmonics. */
const SMOOTHING_HERTZ = 250;
/** Power ratio of new and old envelope at most, and its inverse at least: 20 dB. */
const MOST_RATIO = 100;

/** `x` averaged over `reach` neighbours on each side, as far as there are any. */
function smoothed(x: Float64Array, reach: number, sums: Float64Array, out: Float64Array): void {
  const { length } = x;
  for (let f = 0; f < length; f++) sums[f + 1] = sums[f]! + x[f]!;
  for (let f = 0; f < length; f++) {
    const from = Math.max(0, f - reach);
    const to = Math.min(length, f + reach + 1);
    out[f] = (sums[to]! - sums[from]!) / (to - from);
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
  const reach = Math.max(1, Math.round((SMOOTHING_HERTZ / 2 / sampleRate) * size));
  // The root of a Hann window, before and after: squares of two neighbours sum to 1.
  const window = Float64Array.from({ length: size }, (_, n) => Math.sin((Math.PI * (n + 0.5)) / size));
  const power = new Float64Array(bins);
  const once = new Float64Array(bins);
  const envelope = new Float64Array(bins);
  const sums = new Float64Array(bins + 1);
  const out = new Float32Array(samples.length);
  for (let from = -hop; from < samples.length; from += hop) {
    for (let n = 0; n < size; n++) frame[n] = (samples[from + n] ?? 0) * window[n]!;
    forward(transform);
    for (let f = 0; f < bins; f++) power[f] = real[f]! * real[f]! + imaginary[f]! * imaginary[f]!;
    smoothed(power, reach, sums, once);
    smoothed(once, reach, sums, envelope);
    for (let f = 0; f < bins; f++) {
      const at = Math.min(bins - 1, f / factor);
      const i = Math.min(bins - 2, Math.floor(at));
      const moved = envelope[i]! + (at - i) * (envelope[i + 1]! - envelope[i]!);
      const old = envelope[f]!;
      const ratio = old === 0 ? 1 : Math.max(1 / MOST_RATIO, Math.min(MOST_RATIO, moved / old));
      const scale = Math.sqrt(ratio);
      real[f]! *= scale;
      imaginary[f]! *= scale;
    }
    inverse(transform);
    for (let n = Math.max(0, -from); n < size && from + n < out.length; n++) {
      out[from + n]! += frame[n]! * window[n]!;
    }
  }
  return out;
}
