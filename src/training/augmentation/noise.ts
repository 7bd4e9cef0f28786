import { UsageError } from '../../tensor/index.js';
import { spectralTilt } from './filters.js';
import { fromDecibels, meanPower, scaled } from './level.js';
import { integer, type Random } from './random.js';

/** White noise, uniform in [-1, 1): its spectrum is as flat as that of normal noise, and it costs a tenth. */
export function whiteNoise(length: number, random: Random): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length);
  for (let n = 0; n < length; n++) out[n] = 2 * random() - 1;
  return out;
}

/** Samples until filters of low frequencies have settled. */
const SETTLING = 512;

/** Noise whose spectrum falls by 3 dB an octave. */
export function pinkNoise(length: number, sampleRate: number, random: Random): Float32Array<ArrayBuffer> {
  const white = whiteNoise(SETTLING + length, random);
  return spectralTilt(white, sampleRate, -3).subarray(SETTLING);
}

/** `length` samples of a recording from a random place on; a shorter one is repeated. */
export function cutNoise(noise: Float32Array, length: number, random: Random): Float32Array<ArrayBuffer> {
  if (noise.length === 0) throw new UsageError('cutNoise: the noise has no samples');
  const out = new Float32Array(length);
  let from = integer(random, [0, noise.length >= length ? noise.length - length : noise.length - 1]);
  for (let at = 0; at < length; from = 0) {
    const part = noise.subarray(from, Math.min(noise.length, from + length - at));
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Adds noise of the same length so that the ratio of powers is `snrDecibels`. `signalPower`: what the ratio is taken of,
 * the mean power of all samples where it is left out; see `activePower` for speech with pauses. Where either is silent,
 * nothing is added.
 */
export function addNoise(
  samples: Float32Array,
  noise: Float32Array,
  snrDecibels: number,
  signalPower = meanPower(samples),
): Float32Array<ArrayBuffer> {
  if (noise.length !== samples.length) {
    throw new UsageError(
      `addNoise: ${noise.length} samples of noise for ${samples.length}; cutNoise makes them fit`,
    );
  }
  const noisePower = meanPower(noise);
  if (noisePower === 0 || signalPower === 0) return Float32Array.from(samples);
  const factor = Math.sqrt(signalPower / noisePower) / fromDecibels(snrDecibels);
  const out = scaled(noise, factor);
  for (let n = 0; n < out.length; n++) out[n]! += samples[n]!;
  return out;
}
