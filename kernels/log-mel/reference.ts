import type { FourierPlan } from '../fourier/reference.js';

/** Sizes and arithmetic of a log-mel front end. */
export interface LogMelSettings {
  readonly frames: number;
  readonly hop: number;
  readonly mels: number;
  /** What the filters weigh: |X|², or |X| = sqrt(|X|² + 1e-14). */
  readonly spectrum: 'power' | 'magnitude';
  /** What is done to a filter's sum: 10 log10(max(sum, 1e-10)), log(1 + sum), or nothing. */
  readonly compression: 'decibel' | 'log1p' | 'none';
}

/** Smallest power that decibels tell apart. */
export const DECIBEL_FLOOR = 1e-10;
const MAGNITUDE_EPSILON = 1e-14;

/**
 * y[t, m] = compress(Σ_f S[t, f] filters[m, f]), S[t] = spectrum of window · x[t · hop .. t · hop + size)
 *
 * X holds (frames - 1) · hop + size samples, padding included. Window [size] and filters [mels, bins] are
 * float64; filter m is zero outside its bins bandStart[m] .. bandEnd[m] - 1, and only those are read.
 * `scratch` holds size + 2 · bins numbers. Y is [frames, mels]. All sums are float64.
 * Source: SpeechBrain STFT, spectral_magnitude and Filterbank.
 */
export type LogMel = (
  settings: LogMelSettings,
  plan: FourierPlan,
  window: Float64Array,
  filters: Float64Array,
  bandStart: Int32Array,
  bandEnd: Int32Array,
  x: Float32Array,
  xOffset: number,
  scratch: Float64Array,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
) => void;

export const logMelReference: LogMel = (
  { frames, hop, mels, spectrum, compression },
  plan,
  window,
  filters,
  bandStart,
  bandEnd,
  x,
  xOffset,
  scratch,
  y,
  yOffset,
  yRowStride,
) => {
  const { size, bins } = plan;
  const frame = scratch.subarray(0, size);
  const real = scratch.subarray(size, size + bins);
  const imaginary = scratch.subarray(size + bins, size + 2 * bins);
  for (let t = 0; t < frames; t++) {
    const from = xOffset + t * hop;
    for (let n = 0; n < size; n++) frame[n] = x[from + n] * window[n];
    plan.transform(frame, 0, real, imaginary);
    for (let f = 0; f < bins; f++) {
      const power = real[f] * real[f] + imaginary[f] * imaginary[f];
      real[f] = spectrum === 'power' ? power : Math.sqrt(power + MAGNITUDE_EPSILON);
    }
    for (let m = 0; m < mels; m++) {
      let sum = 0;
      for (let f = bandStart[m]; f < bandEnd[m]; f++) sum += real[f] * filters[m * bins + f];
      if (compression === 'decibel') sum = 10 * Math.log10(Math.max(sum, DECIBEL_FLOOR));
      else if (compression === 'log1p') sum = Math.log1p(sum);
      y[yOffset + t * yRowStride + m] = sum;
    }
  }
};
