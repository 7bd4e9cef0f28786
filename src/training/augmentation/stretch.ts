/**
 * Tempo without pitch, and pitch without tempo, by overlapping pieces that are alike (WSOLA): W. Verhelst and M. Roelands,
 * An overlap-add technique based on waveform similarity for high quality time-scale modification of speech, ICASSP 1993.
 */
import { changeSpeed, requireFactor } from './speed.js';

/** Length of a piece; pieces overlap by half. Two periods of a low voice. */
const PIECE_SECONDS = 0.032;
/** How far a piece may be moved so that it continues the one before. */
const SEARCH_SECONDS = 0.0065;
/** Samples that the coarse search leaves out: every third product of every third place. */
const COARSE = 3;

/** Sum of products of the samples from `a` and from `b` on, every `stride`-th, less where `b` is louder. */
function likeness(x: Float32Array, a: number, b: number, length: number, stride: number): number {
  let product = 0;
  let power = 1e-9;
  for (let n = 0; n < length; n += stride) {
    const y = x[b + n]!;
    product += x[a + n]! * y;
    power += y * y;
  }
  return product / Math.sqrt(power);
}

/** The place from `low` to `high` whose samples are most like those from `like` on. */
function mostAlike(x: Float32Array, like: number, low: number, high: number, length: number): number {
  let [best, score] = [low, Number.NEGATIVE_INFINITY];
  const look = (at: number, stride: number): void => {
    const found = likeness(x, like, at, length, stride);
    if (found > score) [best, score] = [at, found];
  };
  for (let at = low; at <= high; at += COARSE) look(at, COARSE);
  const coarse = best;
  score = Number.NEGATIVE_INFINITY;
  for (let at = Math.max(low, coarse - COARSE + 1); at <= Math.min(high, coarse + COARSE - 1); at++)
    look(at, 2);
  return best;
}

/** Samples `factor` times as fast at the same pitch: round(length / factor) of them. */
export function changeTempo(
  samples: Float32Array,
  sampleRate: number,
  factor: number,
): Float32Array<ArrayBuffer> {
  requireFactor('changeTempo', factor);
  const length = Math.round(samples.length / factor);
  const half = Math.max(8, Math.round((PIECE_SECONDS * sampleRate) / 2));
  if (factor === 1 || samples.length < 4 * half) return changeSpeedTo(samples, length);
  const search = Math.round(SEARCH_SECONDS * sampleRate);
  // Room on both sides for pieces that stick out.
  const x = new Float32Array(samples.length + 6 * half + 2 * search);
  x.set(samples, half);
  const out = new Float32Array(length + 3 * half);
  const rise = Float64Array.from(
    { length: half },
    (_, n) => Math.sin((Math.PI * (n + 0.5)) / (2 * half)) ** 2,
  );
  const latest = samples.length + 2 * half;
  let at = half;
  // The first piece begins half a piece before the recording, so that all of it has two pieces over it.
  for (let place = 0; place < length + half; place += half) {
    const wanted = Math.round((place - half) * factor) + half;
    if (place === 0) at = Math.max(0, wanted);
    else {
      const low = Math.max(0, Math.min(latest, wanted - search));
      at = mostAlike(
        x,
        Math.min(latest, at + half),
        low,
        Math.max(low, Math.min(latest, wanted + search)),
        half,
      );
    }
    for (let n = 0; n < half; n++) {
      out[place + n]! += x[at + n]! * rise[n]!;
      out[place + half + n]! += x[at + half + n]! * rise[half - 1 - n]!;
    }
  }
  return out.slice(half, half + length);
}

/** What is too short to be cut in pieces. */
function changeSpeedTo(samples: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length);
  out.set(samples.subarray(0, length));
  return out;
}

/**
 * Pitch times `factor`, formants along with it, at the same tempo: stretched, then played faster. As many samples as
 * before.
 */
export function changePitch(
  samples: Float32Array,
  sampleRate: number,
  factor: number,
): Float32Array<ArrayBuffer> {
  requireFactor('changePitch', factor);
  const out = new Float32Array(samples.length);
  out.set(changeSpeed(changeTempo(samples, sampleRate, 1 / factor), factor).subarray(0, out.length));
  return out;
}
