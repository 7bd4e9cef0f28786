/**
 * The MFCC front end of TensorFlow's AudioSpectrogram and Mfcc, for networks that were trained behind them:
 *
 *   samples -> frames of a periodic Hann window, each whole inside the recording
 *           -> sqrt |X[f]|²   [bins]
 *           -> mel filters    [mels]
 *           -> ln max(10⁻¹², ·)
 *           -> DCT-II         [coefficients]
 *
 * N samples give 1 + floor((N - windowSamples) / hopSamples) frames: nothing is padded, so what is left over at the
 * end is not heard. Source: tensorflow/core/kernels, spectrogram.cc, mfcc_mel_filterbank.cc, mfcc_dct.cc, mfcc.cc.
 */
import { concatenate, type Tensor, UsageError, zeros } from '../tensor/index.js';
import type { MelFilters } from './mel.js';
import { createFrameTransform, type FrameTransform } from './stft.js';

/** Everything that defines an MFCC front end. */
export interface MfccConfig {
  readonly type: 'mfcc';
  readonly sampleRate: number;
  readonly fftSize: number;
  readonly windowSamples: number;
  readonly hopSamples: number;
  readonly mels: number;
  readonly minHertz: number;
  readonly maxHertz: number;
  /** Coefficients that are kept, the first (the level) included. */
  readonly coefficients: number;
}

const MOST_FFT = 1 << 16;
const MOST_MELS = 4096;
const MOST_RATE = 1 << 22;
const within = (value: number, most: number) => Number.isInteger(value) && value > 0 && value <= most;

/** Throws UsageError where a configuration makes no sense; it bounds every size. */
export function checkMfcc(config: MfccConfig): void {
  const { sampleRate, fftSize, windowSamples, hopSamples, mels, minHertz, maxHertz, coefficients } = config;
  const checks: readonly (readonly [boolean, string])[] = [
    [within(sampleRate, MOST_RATE), `a sample rate of ${sampleRate}`],
    [within(fftSize, MOST_FFT) && fftSize > 1, `an FFT of ${fftSize} samples`],
    [within(windowSamples, fftSize), `a window of ${windowSamples} in an FFT of ${fftSize} samples`],
    [within(hopSamples, MOST_FFT), `a hop of ${hopSamples} samples`],
    [within(mels, MOST_MELS), `${mels} mel filters`],
    [
      minHertz >= 0 && maxHertz > minHertz && maxHertz <= sampleRate / 2,
      `mel filters from ${minHertz} to ${maxHertz} Hz at ${sampleRate} samples a second`,
    ],
    [within(coefficients, mels), `${coefficients} coefficients of ${mels} mel filters`],
  ];
  for (const [sensible, what] of checks) {
    if (!sensible) throw new UsageError(`MFCC front end: ${what} makes no sense`);
  }
}

/** Periodic Hann window 0.5 - 0.5 cos(2πn / windowSamples), and zeros after it up to `fftSize`. */
function hannWindow(windowSamples: number, fftSize: number): Float64Array {
  const window = new Float64Array(fftSize);
  for (let n = 0; n < windowSamples; n++) {
    window[n] = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / windowSamples);
  }
  return window;
}

/** TensorFlow's mel scale: natural, with HTK's constants. */
const toMel = (hertz: number): number => 1127 * Math.log1p(hertz / 700);

/**
 * `mels` triangles of height 1, straight in mel, between mels + 2 points equally spaced in mel. A bin weighs
 * (c[m + 1] - mel) / (c[m + 1] - c[m]) on the falling side of one triangle and the rest of 1 on the rising side of
 * the next. Bins from floor(1.5 + minHertz / binHertz) (never 0) to floor(maxHertz / binHertz) take part.
 */
function mfccFilters({ sampleRate, fftSize, mels, minHertz, maxHertz }: MfccConfig): MelFilters {
  const bins = Math.floor(fftSize / 2) + 1;
  const binHertz = (0.5 * sampleRate) / (bins - 1);
  const [low, high] = [toMel(minHertz), toMel(maxHertz)];
  const spacing = (high - low) / (mels + 1);
  /** Point 0 is the lower edge, point m + 1 the centre of filter m, the last one the upper edge. */
  const point = (i: number): number => low + spacing * i;
  const weights = new Float64Array(mels * bins);
  const bandStart = new Int32Array(mels);
  const bandEnd = new Int32Array(mels);
  const add = (m: number, f: number, weight: number): void => {
    if (m < 0 || m >= mels) return;
    weights[m * bins + f] = weight;
    if (bandEnd[m] === 0) bandStart[m] = f;
    bandEnd[m] = f + 1;
  };
  /** The first point that is not below the bin. */
  let above = 1;
  const first = Math.floor(1.5 + minHertz / binHertz);
  const last = Math.min(bins - 1, Math.floor(maxHertz / binHertz));
  for (let f = first; f <= last; f++) {
    const mel = toMel(f * binHertz);
    while (above <= mels && point(above) < mel) above++;
    const falling = (point(above) - mel) / (point(above) - point(above - 1));
    add(above - 2, f, falling);
    add(above - 1, f, 1 - falling);
  }
  return { weights, bandStart, bandEnd };
}

/** cosines[i, m] = sqrt(2 / mels) cos(π i (m + 1/2) / mels), [coefficients, mels]. */
function cosineTable({ coefficients, mels }: MfccConfig): Float64Array {
  const scale = Math.sqrt(2 / mels);
  return Float64Array.from(
    { length: coefficients * mels },
    (_, at) => scale * Math.cos((Math.PI * Math.floor(at / mels) * ((at % mels) + 0.5)) / mels),
  );
}

/** Smallest sum of a filter that is told apart. */
const FILTER_FLOOR = 1e-12;
/** Frames that are transformed at a time: a recording's spectrum is a hundred times larger than itself. */
const BLOCK_FRAMES = 64;

/** Frames of `samples` samples; none where they are fewer than a window. */
export const mfccFrameCount = ({ windowSamples, hopSamples }: MfccConfig, samples: number): number =>
  samples < windowSamples ? 0 : 1 + Math.floor((samples - windowSamples) / hopSamples);

/** Tables and scratch of an MFCC front end; all arithmetic is float64. */
export class Mfcc {
  private readonly transform: FrameTransform;
  private readonly filters: MelFilters;
  private readonly cosines: Float64Array;

  constructor(readonly config: MfccConfig) {
    checkMfcc(config);
    this.transform = createFrameTransform(
      hannWindow(config.windowSamples, config.fftSize),
      config.hopSamples,
    );
    this.filters = mfccFilters(config);
    this.cosines = cosineTable(config);
  }

  /** Frames [T, coefficients] of a whole recording. */
  frames(samples: Float32Array): Tensor {
    const { coefficients, fftSize, windowSamples, hopSamples } = this.config;
    const frames = mfccFrameCount(this.config, samples.length);
    const out = zeros([frames, coefficients]);
    // The window's zeros reach past the end.
    const padded = concatenate([samples, new Float32Array(fftSize - windowSamples)]);
    for (let t = 0; t < frames; t += BLOCK_FRAMES) {
      const count = Math.min(BLOCK_FRAMES, frames - t);
      const { real, imaginary } = this.transform(padded.subarray(t * hopSamples), count);
      const levels = real.data;
      for (let i = 0; i < levels.length; i++) {
        levels[i] = Math.sqrt(levels[i]! ** 2 + imaginary.data[i]! ** 2);
      }
      this.reduce(levels, count, out.data.subarray(t * coefficients));
    }
    return out;
  }

  /** Levels [frames, bins] to coefficients [frames, coefficients]. */
  private reduce(levels: Float64Array, frames: number, out: Float32Array): void {
    const { mels, coefficients, fftSize } = this.config;
    const { weights, bandStart, bandEnd } = this.filters;
    const bins = Math.floor(fftSize / 2) + 1;
    const logarithms = new Float64Array(mels);
    for (let t = 0; t < frames; t++) {
      for (let m = 0; m < mels; m++) {
        let sum = 0;
        for (let f = bandStart[m]!; f < bandEnd[m]!; f++)
          sum += levels[t * bins + f]! * weights[m * bins + f]!;
        logarithms[m] = Math.log(Math.max(sum, FILTER_FLOOR));
      }
      for (let i = 0; i < coefficients; i++) {
        let sum = 0;
        for (let m = 0; m < mels; m++) sum += this.cosines[i * mels + m]! * logarithms[m]!;
        out[t * coefficients + i] = sum;
      }
    }
  }
}
