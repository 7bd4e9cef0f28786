/** Windows and mel filters, with SpeechBrain's arithmetic. */
import type { MelFilters } from '../../kernels/log-mel/reference.js';

export type { MelFilters };

/** 2595 log10(1 + hertz / 700). */
export const hertzToMel = (hertz: number): number => 2595 * Math.log10(1 + hertz / 700);
export const melToHertz = (mel: number): number => 700 * (10 ** (mel / 2595) - 1);

/** Periodic Hamming window 0.54 - 0.46 cos(2πn / windowSamples), placed in the middle of `fftSize` zeros. */
export function hammingWindow(windowSamples: number, fftSize: number): Float64Array {
  const window = new Float64Array(fftSize);
  const left = Math.floor((fftSize - windowSamples) / 2);
  for (let n = 0; n < windowSamples; n++) {
    window[left + n] = 0.54 - 0.46 * Math.cos((2 * Math.PI * n) / windowSamples);
  }
  return window;
}

/** Points equally spaced in mel, in hertz, rounded to float32 where PyTorch rounds them. */
function melPoints(minHertz: number, maxHertz: number, points: number): Float32Array {
  const { fround } = Math;
  const [low, high] = [fround(hertzToMel(minHertz)), fround(hertzToMel(maxHertz))];
  const step = fround(fround(high - low) / (points - 1));
  return Float32Array.from({ length: points }, (_, i) => {
    // torch.linspace counts its second half from the end
    const mel =
      i < points / 2 ? fround(low + fround(step * i)) : fround(high - fround(step * (points - 1 - i)));
    return fround(700 * fround(fround(10 ** fround(mel / 2595)) - 1));
  });
}

/**
 * `mels` triangles of height 1 around points equally spaced in mel from minHertz to maxHertz. Each triangle
 * is symmetric in hertz: its half-width on both sides is the distance to the point before it. The frequency
 * axis runs from 0 to floor(sampleRate / 2) over the bins.
 *
 * The half-widths are differences of close float32 numbers, which costs SpeechBrain's tables five digits;
 * trained weights know those tables, so the points are rounded as it rounds them.
 */
export function melFilters(settings: {
  readonly sampleRate: number;
  readonly fftSize: number;
  readonly mels: number;
  readonly minHertz: number;
  readonly maxHertz: number;
}): MelFilters {
  const { sampleRate, fftSize, mels, minHertz, maxHertz } = settings;
  const bins = Math.floor(fftSize / 2) + 1;
  const points = melPoints(minHertz, maxHertz, mels + 2);
  const binHertz = Math.floor(sampleRate / 2) / (bins - 1);
  const weights = new Float64Array(mels * bins);
  const bandStart = new Int32Array(mels);
  const bandEnd = new Int32Array(mels);
  for (let m = 0; m < mels; m++) {
    const centre = points[m + 1]!;
    const halfWidth = Math.fround(centre - points[m]!);
    for (let f = 0; f < bins; f++) {
      const height = 1 - Math.abs(f * binHertz - centre) / halfWidth;
      if (height <= 0) continue;
      weights[m * bins + f] = height;
      if (bandEnd[m] === 0) bandStart[m] = f;
      bandEnd[m] = f + 1;
    }
  }
  return { weights, bandStart, bandEnd };
}
