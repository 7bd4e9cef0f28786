import { createFourierPlan } from '../fourier/reference.js';

/** Sizes and arithmetic of a log-mel front end. */
export interface LogMelSettings {
  /** Samples of a frame. */
  readonly size: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  readonly mels: number;
  /** What the filters weigh: |X|², or |X| = sqrt(|X|² + 1e-14). */
  readonly spectrum: 'power' | 'magnitude';
  /** What is done to a filter's sum: 10 log10(max(sum, 1e-10)), log(1 + sum), or nothing. */
  readonly compression: 'decibel' | 'log1p' | 'none';
}

/** Filters [mels, bins], none negative, and the bins bandStart[m] .. bandEnd[m] - 1 outside which filter m is zero. */
export interface MelFilters {
  readonly weights: Float64Array;
  readonly bandStart: Int32Array;
  readonly bandEnd: Int32Array;
}

/** A front end with its tables and scratch; not reentrant. */
export interface LogMelPlan {
  /**
   * Y [frames, mels] of the (frames - 1) · hop + size samples that begin at x[xOffset], padding included.
   * Each frame comes out the same, to the bit, whatever frames are computed with it.
   */
  transform(
    frames: number,
    x: Float32Array,
    xOffset: number,
    y: Float32Array,
    yOffset: number,
    yRowStride: number,
  ): void;
}

/**
 * Y[t, m] = compress(Σ_f S[t, f] filters[m, f]), S[t] = spectrum of window · x[t · hop .. t · hop + size)
 *
 * The spectrum has bins = floor(size / 2) + 1 numbers; the window has `size`. Both tables are read once, to make
 * the plan. 2.5 size log2 size operations a frame where size is 2^n; 4 (hop + mels) bytes have to move.
 * Source: SpeechBrain STFT, spectral_magnitude and Filterbank.
 */
export type CreateLogMel = (
  settings: LogMelSettings,
  window: Float64Array,
  filters: MelFilters,
) => LogMelPlan;

/** Smallest power that decibels tell apart. */
export const DECIBEL_FLOOR = 1e-10;
export const MAGNITUDE_EPSILON = 1e-14;

/** A frame at a time; all sums are float64. */
export const createLogMelReference: CreateLogMel = (
  { size, hop, mels, spectrum, compression },
  window,
  { weights, bandStart, bandEnd },
) => {
  const plan = createFourierPlan(size);
  const { bins } = plan;
  const frame = new Float64Array(size);
  const real = new Float64Array(bins);
  const imaginary = new Float64Array(bins);
  return {
    transform(frames, x, xOffset, y, yOffset, yRowStride) {
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
          for (let f = bandStart[m]; f < bandEnd[m]; f++) sum += real[f] * weights[m * bins + f];
          if (compression === 'decibel') sum = 10 * Math.log10(Math.max(sum, DECIBEL_FLOOR));
          else if (compression === 'log1p') sum = Math.log1p(sum);
          y[yOffset + t * yRowStride + m] = sum;
        }
      }
    },
  };
};
