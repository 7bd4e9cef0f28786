import { createFourierPlan } from '../fourier/reference.js';
import { recording } from '../gpu/recording.js';
import { ROW, rowGrid } from '../gpu/sources.js';
import { gpuVariant } from '../gpu/variant.js';
import { type CreateLogMel, DECIBEL_FLOOR, type LogMelSettings, MAGNITUDE_EPSILON } from './reference.js';

const COMPRESSIONS: Readonly<Record<LogMelSettings['compression'], string>> = {
  none: 'sum',
  // 10 / ln 10
  decibel: `4.342944819032518 * Math.log(Math.max(sum, ${DECIBEL_FLOOR}))`,
  log1p: 'Math.log(1 + sum)',
};

/** One thread for each band of each frame; a band's filter is not zero in `widest` bins at most. */
const source = (compression: LogMelSettings['compression']) => `
function (spectrum, filters, bandStart, bandEnd) {
  const t = ${ROW};
  const start = bandStart[this.thread.x];
  const end = bandEnd[this.thread.x];
  let sum = 0;
  for (let i = 0; i < this.constants.widest; i++) {
    const f = start + i;
    if (f < end) {
      sum += spectrum[t * this.constants.bins + f] * filters[this.thread.x * this.constants.bins + f];
    }
  }
  return ${COMPRESSIONS[compression]};
}`;

/**
 * Spectra on the CPU, by the plain transform in float64; the product with the mel filters and the logarithm on the GPU. A
 * Fourier transform of a few hundred samples has too few operations for its traffic to be worth a launch for each factor.
 */
const create: CreateLogMel = (
  { size, hop, mels, spectrum, compression },
  window,
  { weights, bandStart, bandEnd },
) => {
  const plan = createFourierPlan(size);
  const { bins } = plan;
  const tables = [weights, bandStart, bandEnd].map((table) =>
    Float32Array.from(table.subarray(0, mels * bins)),
  );
  let widest = 0;
  for (let m = 0; m < mels; m++) widest = Math.max(widest, bandEnd[m] - bandStart[m]);
  return {
    transform(frames, x, xOffset, y, yOffset, yRowStride) {
      if (frames === 0) return;
      const notes = recording();
      const samples = x.slice(xOffset, xOffset + (frames - 1) * hop + size);
      const spectra = notes.computed(frames * bins, (target) => {
        const frame = new Float64Array(size);
        const [real, imaginary] = [new Float64Array(bins), new Float64Array(bins)];
        for (let t = 0; t < frames; t++) {
          for (let n = 0; n < size; n++) frame[n] = samples[t * hop + n] * window[n];
          plan.transform(frame, 0, real, imaginary);
          for (let f = 0; f < bins; f++) {
            const power = real[f] * real[f] + imaginary[f] * imaginary[f];
            target[t * bins + f] = spectrum === 'power' ? power : Math.sqrt(power + MAGNITUDE_EPSILON);
          }
        }
      });
      const { size: grid, slab } = rowGrid(mels, frames);
      const result = notes.launch('log-mel', source(compression), { slab, bins, widest }, grid, [
        spectra.value,
        ...tables.map((table) => notes.constant(table).value),
      ]);
      notes.write(result, y, yOffset, frames, mels, yRowStride);
    },
  };
};

export const logMelGpu = gpuVariant(
  'log-mel',
  create,
  'spectra on the CPU; mel product and logarithm one thread a band',
);
