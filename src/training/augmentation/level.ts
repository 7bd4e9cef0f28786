/** Levels of sound. Decibels of power throughout: 10 log10. */

export const fromDecibels = (decibels: number): number => 10 ** (decibels / 20);

/** Mean of the squares; 0 of no samples. */
export function meanPower(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i]! * samples[i]!;
  return samples.length === 0 ? 0 : sum / samples.length;
}

/** Samples times 10^(decibels / 20). */
export function gain(samples: Float32Array, decibels: number): Float32Array<ArrayBuffer> {
  return scaled(samples, fromDecibels(decibels));
}

export function scaled(samples: Float32Array, factor: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(samples.length);
  for (let i = 0; i < out.length; i++) out[i] = samples[i]! * factor;
  return out;
}

/** Length of the frames that activity is judged by. */
const FRAME_SECONDS = 0.01;
/** Decibels below the loudest frame at which sound counts as silence. */
export const SILENCE_BELOW = 35;

/** Mean power of each frame of 10 ms, and the length of a frame in samples. */
function framePowers(samples: Float32Array, sampleRate: number): { powers: number[]; frame: number } {
  const frame = Math.max(1, Math.round(FRAME_SECONDS * sampleRate));
  const powers: number[] = [];
  for (let at = 0; at < samples.length; at += frame) powers.push(meanPower(samples.subarray(at, at + frame)));
  return { powers, frame };
}

/** Power of a frame that is `below` decibels under the loudest one. */
const thresholdOf = (powers: readonly number[], below: number): number =>
  powers.reduce((a, b) => Math.max(a, b), 0) * 10 ** (-below / 10);

/**
 * First sample of the first frame of 10 ms that is at most `below` decibels under the loudest one, and the end of the
 * last such frame. [0, 0] of digital silence.
 */
export function activePart(
  samples: Float32Array,
  sampleRate: number,
  below = SILENCE_BELOW,
): readonly [number, number] {
  const { powers, frame } = framePowers(samples, sampleRate);
  const least = thresholdOf(powers, below);
  if (least === 0) return [0, 0];
  let last = powers.length - 1;
  while (powers[last]! < least) last--;
  const first = powers.findIndex((power) => power >= least);
  return [first * frame, Math.min(samples.length, (last + 1) * frame)];
}

/** Mean power of the frames of 10 ms that are no more than `below` decibels under the loudest one: pauses do not count. */
export function activePower(samples: Float32Array, sampleRate: number, below = SILENCE_BELOW): number {
  const { powers } = framePowers(samples, sampleRate);
  const least = thresholdOf(powers, below);
  const active = powers.filter((power) => power >= least);
  return active.length === 0 ? 0 : active.reduce((a, b) => a + b, 0) / active.length;
}
