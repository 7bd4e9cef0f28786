/** What cheap devices and narrow links do to samples. */
import { UsageError } from '../../tensor/index.js';

/** Cuts off what is beyond `limit`. */
export function clip(samples: Float32Array, limit: number): Float32Array<ArrayBuffer> {
  if (!(limit > 0)) throw new UsageError(`clip: a limit of ${limit} leaves nothing`);
  const out = new Float32Array(samples.length);
  for (let n = 0; n < out.length; n++) out[n] = Math.max(-limit, Math.min(limit, samples[n]!));
  return out;
}

/** The constant of North American and Japanese telephony. */
const MU = 255;

/**
 * Samples in [-1, 1] rounded to `levels` steps on the mu-law scale sign(x) log(1 + 255 |x|) / log(256): ITU-T G.711 has
 * 256 of them. What is beyond is clipped.
 */
export function muLaw(samples: Float32Array, levels = 256): Float32Array<ArrayBuffer> {
  if (!(Number.isInteger(levels) && levels >= 2))
    throw new UsageError(`muLaw: ${levels} levels make no sense`);
  const half = levels / 2;
  // By step rather than by sample: there are few of them.
  const values = Float32Array.from({ length: half + 1 }, (_, i) => (256 ** (i / half) - 1) / MU);
  const scale = half / Math.log(1 + MU);
  const out = new Float32Array(samples.length);
  for (let n = 0; n < out.length; n++) {
    const x = samples[n]!;
    const size = values[Math.round(Math.log(1 + MU * Math.min(1, Math.abs(x))) * scale)]!;
    out[n] = x < 0 ? -size : size;
  }
  return out;
}

/** Samples rounded to multiples of 2^(1 - bits). */
export function quantize(samples: Float32Array, bits: number): Float32Array<ArrayBuffer> {
  if (!(bits >= 2 && bits <= 24)) throw new UsageError(`quantize: ${bits} bits make no sense; 2 to 24 do`);
  const steps = 2 ** (bits - 1);
  const out = new Float32Array(samples.length);
  for (let n = 0; n < out.length; n++) {
    out[n] = Math.max(-1, Math.min(1 - 1 / steps, Math.round(samples[n]! * steps) / steps));
  }
  return out;
}
