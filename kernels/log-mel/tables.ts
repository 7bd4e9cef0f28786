/** What the SIMD front end knows before the first sample: everything in float32, rounded from float64 once. */
import { factorsOf, passesLength, writePasses } from '../fourier/lanes.js';
import type { KernelMemory } from '../wasm/memory.js';
import type { LogMelSettings, MelFilters } from './reference.js';

/** Bins that one turn of the loop over a filter's band takes. */
export const BAND_STEP = 4;
/** Frames of a group. */
export const LANES = 4;
/** Bytes of a number in four lanes. */
export const LANES_BYTES = 16;

/** Addresses of the tables of one front end; `block` keeps them alive. */
export interface LogMelTables {
  readonly block: Float32Array;
  /** w[n] / 2 [size], and zeros up to a multiple of 4: the half is the one of the split below. */
  readonly window: number;
  /** The passes of the complex transform of half the size. */
  readonly passes: number;
  readonly passCount: number;
  /** cos and sin of -2π k / size for k = 0 .. floor(size / 4). */
  readonly split: number;
  /** Per filter: bytes of its first bin in the spectrum, bytes of its band there, then its weights. */
  readonly bands: number;
}

/** The factors of half of `size`, or null where the SIMD front end can't do it. */
export const halfFactors = (size: number): readonly number[] | null =>
  size >= 2 && size % 2 === 0 ? factorsOf(size / 2) : null;

export function writeTables(
  memory: KernelMemory,
  { size, mels }: LogMelSettings,
  factors: readonly number[],
  window: Float64Array,
  { weights, bandStart, bandEnd }: MelFilters,
): LogMelTables {
  const half = size / 2;
  const bins = half + 1;
  const stepsOf = (m: number) => Math.ceil(Math.max(0, bandEnd[m] - bandStart[m]) / BAND_STEP);
  let bandWords = 0;
  for (let m = 0; m < mels; m++) bandWords += 2 + BAND_STEP * stepsOf(m);

  const windowWords = Math.ceil(size / 4) * 4;
  const splitWords = 2 * (Math.floor(half / 2) + 1);
  const block = memory.keepFloats(windowWords + passesLength(half, factors) + splitWords + bandWords).fill(0);
  const first = block.byteOffset / 4;
  const [floats, integers] = [new Float32Array(memory.buffer), new Int32Array(memory.buffer)];

  for (let n = 0; n < size; n++) floats[first + n] = window[n] / 2;
  const passes = first + windowWords;
  writePasses(memory.buffer, passes, half, factors);
  const split = passes + passesLength(half, factors);
  for (let k = 0; k <= half / 2; k++) {
    floats[split + 2 * k] = Math.cos((-2 * Math.PI * k) / size);
    floats[split + 2 * k + 1] = Math.sin((-2 * Math.PI * k) / size);
  }
  const bands = split + splitWords;
  let at = bands;
  for (let m = 0; m < mels; m++) {
    const steps = stepsOf(m);
    integers[at] = LANES_BYTES * bandStart[m];
    integers[at + 1] = LANES_BYTES * BAND_STEP * steps;
    at += 2;
    for (let f = bandStart[m]; f < bandEnd[m]; f++) floats[at + f - bandStart[m]] = weights[m * bins + f];
    at += BAND_STEP * steps;
  }
  return {
    block,
    window: 4 * first,
    passes: 4 * passes,
    passCount: factors.length,
    split: 4 * split,
    bands: 4 * bands,
  };
}
