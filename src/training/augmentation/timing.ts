/** Moving sounds in time, and laying them over each other. */
import { UsageError } from '../../tensor/index.js';

/** Samples `by` places later (earlier where that is less than 0); silence comes in, what goes out is lost. */
export function shift(samples: Float32Array, by: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(samples.length);
  if (Math.abs(by) >= samples.length) return out;
  out.set(by >= 0 ? samples.subarray(0, samples.length - by) : samples.subarray(-by), Math.max(0, by));
  return out;
}

/** The same as a circle: what goes out at one end comes in at the other. For sounds without a beginning. */
export function rotate(samples: Float32Array, by: number): Float32Array<ArrayBuffer> {
  const { length } = samples;
  const out = new Float32Array(length);
  if (length === 0) return out;
  const at = ((by % length) + length) % length;
  out.set(samples.subarray(0, length - at), at);
  out.set(samples.subarray(length - at), 0);
  return out;
}

/**
 * weight * a + (1 - weight) * b, as long as the longer one. Mixup (Zhang and others, arXiv:1710.09412) mixes the targets
 * by the same weight, which `beta` of random.ts draws.
 */
export function mix(a: Float32Array, b: Float32Array, weight: number): Float32Array<ArrayBuffer> {
  if (!(weight >= 0 && weight <= 1)) throw new UsageError(`mix: a weight of ${weight} is not from 0 to 1`);
  const out = new Float32Array(Math.max(a.length, b.length));
  for (let n = 0; n < a.length; n++) out[n] = weight * a[n]!;
  for (let n = 0; n < b.length; n++) out[n]! += (1 - weight) * b[n]!;
  return out;
}
