/** Measures of sound that tests judge by. */
import { createFourierPlan } from '../../kernels/fourier/reference.js';

/** A sine of amplitude 1. */
export const sine = (hertz: number, sampleRate: number, length: number): Float32Array =>
  Float32Array.from({ length }, (_, n) => Math.sin((2 * Math.PI * hertz * n) / sampleRate));

/** Amplitude of the part of a sound at one frequency, by projection under a Hann window. */
export function amplitudeAt(samples: Float32Array, hertz: number, sampleRate: number): number {
  let [real, imaginary, weights] = [0, 0, 0];
  for (let n = 0; n < samples.length; n++) {
    const weight = Math.sin((Math.PI * (n + 0.5)) / samples.length) ** 2;
    const angle = (2 * Math.PI * hertz * n) / sampleRate;
    real += weight * samples[n]! * Math.cos(angle);
    imaginary += weight * samples[n]! * Math.sin(angle);
    weights += weight;
  }
  return (2 * Math.hypot(real, imaginary)) / weights;
}

/** Frequency in hertz of the largest bin of frames of `size` samples, power summed over all frames. */
export function loudestHertz(samples: Float32Array, sampleRate: number, size = 2048): number {
  const powers = averageSpectrum(samples, size);
  let best = 1;
  for (let f = 1; f < powers.length; f++) if (powers[f]! > powers[best]!) best = f;
  return (best * sampleRate) / size;
}

/** Mean power of each bin over frames of `size` samples under a Hann window, half overlapping. */
export function averageSpectrum(samples: Float32Array, size: number): Float64Array {
  const plan = createFourierPlan(size);
  const frame = new Float64Array(size);
  const [real, imaginary] = [new Float64Array(plan.bins), new Float64Array(plan.bins)];
  const powers = new Float64Array(plan.bins);
  for (let from = 0; from + size <= samples.length; from += size / 2) {
    for (let n = 0; n < size; n++)
      frame[n] = samples[from + n]! * Math.sin((Math.PI * (n + 0.5)) / size) ** 2;
    plan.transform(frame, 0, real, imaginary);
    for (let f = 0; f < plan.bins; f++) powers[f]! += real[f]! ** 2 + imaginary[f]! ** 2;
  }
  return powers;
}
