import { fourierVariants } from '../../kernels/fourier/variants.js';
import { kernelOf } from '../ops/index.js';
import { type NdArray, view } from '../tensor/index.js';
import type { FrontEndConfig } from './log-mel.js';
import { hammingWindow } from './mel.js';

/**
 * Real and imaginary parts [T, floor(fftSize / 2) + 1] of the windowed frames of a whole recording, framed
 * as the log-mel front end frames it.
 */
export function shortTimeFourierTransform(
  samples: Float32Array,
  config: Pick<FrontEndConfig, 'fftSize' | 'windowSamples' | 'hopSamples'>,
): { readonly real: NdArray<Float64Array>; readonly imaginary: NdArray<Float64Array> } {
  const { fftSize, windowSamples, hopSamples } = config;
  const plan = kernelOf(fourierVariants)(fftSize);
  const window = hammingWindow(windowSamples, fftSize);
  const frames = 1 + Math.floor(samples.length / hopSamples);
  const shape = [frames, plan.bins];
  const real = new Float64Array(frames * plan.bins);
  const imaginary = new Float64Array(frames * plan.bins);
  const frame = new Float64Array(fftSize);
  for (let t = 0; t < frames; t++) {
    const first = t * hopSamples - Math.floor(fftSize / 2);
    for (let n = 0; n < fftSize; n++) frame[n] = (samples[first + n] ?? 0) * window[n]!;
    plan.transform(frame, 0, real.subarray(t * plan.bins), imaginary.subarray(t * plan.bins));
  }
  return { real: view(real, shape), imaginary: view(imaginary, shape) };
}
