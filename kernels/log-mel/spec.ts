import type { KernelSpec, OperandSpecs } from '../spec.js';
import { logMelGpu } from './gpu.js';
import type { CreateLogMel, LogMelSettings } from './reference.js';
import { logMelVariants } from './variants.js';

export interface LogMelSizes extends LogMelSettings {
  readonly frames: number;
}

const binsOf = (size: number) => Math.floor(size / 2) + 1;

/** Bands of about equal width that overlap by half: mel filters without the mel scale. */
function bandOf(m: number, mels: number, bins: number): readonly [number, number] {
  const width = Math.max(1, Math.ceil((2 * bins) / (mels + 1)));
  const start = Math.floor((m * (bins - width)) / Math.max(1, mels - 1));
  return [start, start + width];
}

const operands = ({ frames, hop, mels, size }: LogMelSizes) => {
  const bins = binsOf(size);
  const dense = { role: 'input', strided: false } as const;
  const band = (which: 0 | 1) => (_: () => number, m: number) => bandOf(m, mels, bins)[which];
  return {
    x: { ...dense, type: 'float32', rows: 1, columns: (frames - 1) * hop + size },
    window: { ...dense, type: 'float64', rows: 1, columns: size, fill: (random) => random() },
    filters: { ...dense, type: 'float64', rows: mels, columns: bins, fill: (random) => random() },
    bandStart: { ...dense, type: 'int32', rows: 1, columns: mels, fill: band(0) },
    bandEnd: { ...dense, type: 'int32', rows: 1, columns: mels, fill: band(1) },
    y: { role: 'output', type: 'float32', rows: frames, columns: mels },
  } as const satisfies OperandSpecs;
};

const frontEnd = (
  name: string,
  frames: number,
  size: number,
  hop: number,
  mels: number,
  spectrum: LogMelSettings['spectrum'] = 'power',
  compression: LogMelSettings['compression'] = 'decibel',
) => ({ name, sizes: { frames, size, hop, mels, spectrum, compression } });

/** Every length of a frame that takes another way: each factor alone and together, odd halves, and what is left to chirps. */
const lengths = [2, 4, 6, 10, 12, 14, 15, 18, 24, 30, 32, 40, 50, 64, 90, 100, 128, 150, 200, 240, 480, 960];

export const logMelSpec: KernelSpec<LogMelSizes, ReturnType<typeof operands>, CreateLogMel> = {
  name: 'log-mel',
  formula: 'Y[t,m] = 10 log₁₀ max(10⁻¹⁰, Σ_f |Σ_n w[n] x[t·hop+n] exp(−2πi f n/N)|² M[m,f])',
  shapes: 'x [(T−1)·hop + N], w [N], M [mels, N/2+1] with a band of bins each, Y [T, mels]',
  source: 'SpeechBrain Fbank; also magnitude spectrum and log(1 + ·) as in its CNN14 recipe',
  // Float32 arithmetic shows 3.3e-7.
  tolerance: 1e-6,
  nonFinite: false,
  sizes: [
    { frames: 1, hop: 3, size: 8, mels: 2, spectrum: 'power', compression: 'decibel' },
    { frames: 4, hop: 5, size: 16, mels: 5, spectrum: 'power', compression: 'none' },
    { frames: 3, hop: 7, size: 20, mels: 4, spectrum: 'magnitude', compression: 'log1p' },
    { frames: 5, hop: 80, size: 256, mels: 40, spectrum: 'power', compression: 'decibel' },
    { frames: 2, hop: 160, size: 400, mels: 80, spectrum: 'magnitude', compression: 'decibel' },
    { frames: 6, hop: 160, size: 512, mels: 81, spectrum: 'power', compression: 'none' },
    { frames: 7, hop: 320, size: 1024, mels: 64, spectrum: 'magnitude', compression: 'log1p' },
    // more than two blocks of frames
    { frames: 133, hop: 11, size: 36, mels: 7, spectrum: 'power', compression: 'log1p' },
    ...lengths.map((size) => ({
      frames: 2 + (size % 4),
      hop: Math.ceil(size / 3),
      size,
      mels: 1 + (size % 5),
      spectrum: 'power' as const,
      compression: 'none' as const,
    })),
  ],
  example: { frames: 3, hop: 4, size: 8, mels: 3, spectrum: 'power', compression: 'decibel' },
  workloads: [
    frontEnd('shipped model, 1 s', 101, 256, 80, 40),
    frontEnd('shipped model, 10 s', 1001, 256, 80, 40),
    frontEnd('conformer small, 10 s', 1001, 400, 160, 80),
    frontEnd('conformer large, 10 s', 1001, 512, 160, 80),
    frontEnd('CNN14 recipe at 16 kHz, 10 s', 861, 1024, 186, 80, 'magnitude', 'log1p'),
    frontEnd('CNN14 published at 44.1 kHz, 10 s', 862, 1024, 512, 80, 'magnitude'),
    frontEnd('CNN14 of PANNs at 32 kHz, 10 s', 1001, 1024, 320, 64),
  ],
  cost: ({ frames, hop, size, mels }) => ({
    operations: frames * (2.5 * size * Math.log2(size) + 3 * size + 4 * binsOf(size)),
    bytes: 4 * frames * (hop + mels),
  }),
  operands,
  bind(kernel, sizes, { x, window, filters, bandStart, bandEnd, y }) {
    const plan = kernel(sizes, window.data.subarray(window.offset), {
      weights: filters.data.subarray(filters.offset),
      bandStart: bandStart.data.subarray(bandStart.offset),
      bandEnd: bandEnd.data.subarray(bandEnd.offset),
    });
    return () => plan.transform(sizes.frames, x.data, x.offset, y.data, y.offset, y.rowStride);
  },
  exact({ frames, hop, size, mels, spectrum, compression }, { x, window, filters, bandStart, bandEnd }) {
    const bins = binsOf(size);
    const y: number[] = [];
    for (let t = 0; t < frames; t++) {
      const levels = Array.from({ length: bins }, (_, f) => {
        let re = 0;
        let im = 0;
        for (let n = 0; n < size; n++) {
          const sample = x.data[x.offset + t * hop + n] * window.data[window.offset + n];
          const angle = (-2 * Math.PI * ((f * n) % size)) / size;
          re += sample * Math.cos(angle);
          im += sample * Math.sin(angle);
        }
        const power = re * re + im * im;
        return spectrum === 'power' ? power : Math.sqrt(power + 1e-14);
      });
      for (let m = 0; m < mels; m++) {
        let sum = 0;
        for (let f = bandStart.data[bandStart.offset + m]; f < bandEnd.data[bandEnd.offset + m]; f++) {
          sum += levels[f] * filters.data[filters.offset + m * bins + f];
        }
        if (compression === 'decibel') sum = 10 * Math.log10(Math.max(sum, 1e-10));
        if (compression === 'log1p') sum = Math.log(1 + sum);
        y.push(sum);
      }
    }
    return { y };
  },
  variants: logMelVariants,
  gpu: logMelGpu,
};
