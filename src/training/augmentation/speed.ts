/** Playing faster or slower, which changes pitch, formants and tempo together. */
import { UsageError } from '../../tensor/index.js';

/** Zero crossings of the sinc on each side. */
const CROSSINGS = 8;
/** Points of the table for each zero crossing; weights between them are interpolated. */
const POINTS = 128;
/** Cut-off as a part of the lower of the two Nyquist rates. */
const ROLLOFF = 0.95;
/** Factors that still make sense for sound. */
const LEAST = 0.1;
const MOST = 10;

/** Half of a sinc under a Hann window, [CROSSINGS * POINTS + 2]. */
const TABLE = Float64Array.from({ length: CROSSINGS * POINTS + 2 }, (_, i) => {
  const t = i / POINTS;
  if (t >= CROSSINGS) return 0;
  const sinc = t === 0 ? 1 : Math.sin(Math.PI * t) / (Math.PI * t);
  return sinc * Math.cos((Math.PI * t) / (2 * CROSSINGS)) ** 2;
});

export function requireFactor(what: string, factor: number): void {
  if (factor >= LEAST && factor <= MOST) return;
  throw new UsageError(`${what}: a factor of ${factor} makes no sense; ${LEAST} to ${MOST} do`);
}

/**
 * Samples as if played `factor` times as fast, band-limited: ceil(length / factor) samples, sample q of which stands at
 * q * factor. Windowed sinc interpolation (J. O. Smith, Digital audio resampling), about 16 products a sample.
 */
export function changeSpeed(samples: Float32Array, factor: number): Float32Array<ArrayBuffer> {
  requireFactor('changeSpeed', factor);
  if (factor === 1) return Float32Array.from(samples);
  const cutoff = ROLLOFF * Math.min(1, 1 / factor);
  const step = cutoff * POINTS;
  const reach = CROSSINGS / cutoff;
  const last = samples.length - 1;
  const out = new Float32Array(Math.ceil(samples.length / factor));
  for (let q = 0; q < out.length; q++) {
    const centre = q * factor;
    const from = Math.max(0, Math.ceil(centre - reach));
    const to = Math.min(last, Math.floor(centre + reach));
    let sum = 0;
    for (let n = from; n <= to; n++) {
      const at = Math.abs(n - centre) * step;
      const i = at | 0;
      const low = TABLE[i]!;
      sum += samples[n]! * (low + (at - i) * (TABLE[i + 1]! - low));
    }
    out[q] = sum * cutoff;
  }
  return out;
}
