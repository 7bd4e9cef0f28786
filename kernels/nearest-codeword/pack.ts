/** Codebooks packed for the SIMD kernel: one block of the kernels' memory, and a map of it. */
import type { KernelMemory } from '../wasm/memory.js';
import { coordinatesOf, type Directions, findDirections, shorten } from './directions.js';
import {
  HEADER,
  PANEL,
  Parts,
  packPanels,
  padded,
  panelsOf,
  type ScorePanels,
  scorePanels,
} from './layout.js';
import type { PackedCodebooks } from './reference.js';

/** One codebook, in bytes from the start of the block. */
export interface PackedStage {
  /** float32 [padded D], the centre m. */
  readonly mean: number;
  /** float32 [16 ceil(V / 16)], |c_v|²/2; infinity where no codeword can be chosen. */
  readonly halves: number;
  /** float32 [V, D], the codebook as it was. */
  readonly words: number;
  /** Whole vectors c. */
  readonly whole: ScorePanels;
  /** Their leading coordinates and the rest, (z, u); null where these would not help. */
  readonly short: ScorePanels | null;
  readonly features: number;
  /** Comparisons per frame up to which bounds are quicker than whole scores. */
  readonly most: number;
  /** float32 [V, rows]: what a codeword takes from y, with the step from this stage's centre to the next one's. */
  readonly shifts: number;
  /**
   * How the search goes: codewords per frame that bounds leave to compare, on average, and where those are too
   * many, pieces of work until bounds are tried again. It changes the time, never the result.
   */
  readonly search: { left: number; rest: number };
}

export interface SimdCodebooks extends PackedCodebooks {
  readonly books: readonly PackedStage[];
  /** Coordinates of y that are kept; 0 where no stage uses them. */
  readonly rows: number;
  /** float32 [rows / 8][D][8], B in panels. */
  readonly basis: number;
}

/** Too few codewords or features for bounds to pay. */
const FEW_CODEWORDS = 64;
const FEW_FEATURES = 48;

/**
 * Comparisons that one frame's bounds may leave. Counted in features of one codeword in the integer kernel: a
 * comparison in float32 costs 4 (D + 48), the second look at the scores 4000, a coordinate of y 2 D once for all stages.
 */
const mostLeft = (stages: number, codewords: number, width: number, rows: number, features: number): number =>
  (codewords * (width - features) - 4000 - (2 * rows * width) / stages) / (4 * (width + 48));

export function packCodebooks(
  memory: KernelMemory,
  stages: number,
  codewords: number,
  width: number,
  codebooks: Float32Array,
  offset: number,
  lifetime: 'kept' | 'work',
): SimdCodebooks {
  const means: Float32Array[] = [];
  const centred: Float64Array[] = [];
  for (let s = 0; s < stages; s++) {
    const from = offset + s * codewords * width;
    const book = Float64Array.from(codebooks.subarray(from, from + codewords * width));
    means.push(centre(book, width));
    centred.push(book);
  }
  const worth = lifetime === 'kept' && codewords >= FEW_CODEWORDS && width >= FEW_FEATURES;
  const directions = worth ? findDirections(centred, width) : null;
  const rows = directions?.rows ?? 0;

  const parts = new Parts();
  const books = means.map((_, s): PackedStage => {
    const features = directions?.features[s] ?? 0;
    const most = mostLeft(stages, codewords, width, rows, features);
    return {
      mean: parts.take(4 * padded(width)),
      halves: parts.take(4 * PANEL * panelsOf(codewords)),
      words: parts.take(4 * codewords * width),
      whole: scorePanels(parts, codewords, width),
      short: features > 0 && most > 1 ? scorePanels(parts, codewords, features) : null,
      features,
      most,
      shifts: parts.take(4 * codewords * rows),
      search: { left: 0, rest: 0 },
    };
  });
  const basis = parts.take(4 * rows * width);

  const length = parts.bytes >> 2;
  const data = lifetime === 'kept' ? memory.keepFloats(length) : memory.pushFloats(length);
  const floats = (at: number, count: number) => new Float32Array(memory.buffer, data.byteOffset + at, count);
  books.forEach(({ mean, halves, words, whole }, s) => {
    const from = offset + s * codewords * width;
    floats(words, codewords * width).set(codebooks.subarray(from, from + codewords * width));
    floats(mean, padded(width)).fill(0).set(means[s]!);
    const book = centred[s]!;
    packHalves(book, width, floats(halves, PANEL * panelsOf(codewords)));
    packPanels(memory.buffer, data.byteOffset, whole, codewords, book, 0);
    new Float64Array(memory.buffer, data.byteOffset + whole.header)[HEADER.centre / 8] = Math.hypot(
      ...means[s]!,
    );
  });
  if (directions) packDirections(memory, data, codewords, width, books, centred, means, directions, basis);
  return { stages, codewords, width, data, offset: 0, books, rows, basis };
}

/**
 * |c_v|²/2 of a book; infinity where there is no codeword, and for one that equals an earlier one, which it can't beat:
 * k-means leaves such codewords where it has too few vectors.
 */
function packHalves(book: Float64Array, width: number, halves: Float32Array): void {
  halves.fill(Infinity);
  const firsts = new Map<number, number[]>();
  for (let v = 0; v < book.length / width; v++) {
    let square = 0;
    for (let d = v * width; d < (v + 1) * width; d++) square += book[d]! ** 2;
    const alike = firsts.get(square) ?? [];
    if (alike.some((other) => equalRows(book, other, v, width))) continue;
    alike.push(v);
    firsts.set(square, alike);
    halves[v] = square / 2;
  }
}

function equalRows(book: Float64Array, a: number, b: number, width: number): boolean {
  for (let d = 0; d < width; d++) if (book[a * width + d] !== book[b * width + d]) return false;
  return true;
}

/** Subtracts from vectors [n, width] their mean as float32, and gives it. */
function centre(book: Float64Array, width: number): Float32Array {
  const sums = new Float64Array(width);
  for (let row = 0; row < book.length; row += width) {
    for (let d = 0; d < width; d++) sums[d]! += book[row + d]!;
  }
  const mean = Float32Array.from(sums, (sum) => (sum * width) / book.length);
  for (let row = 0; row < book.length; row += width) {
    for (let d = 0; d < width; d++) book[row + d]! -= mean[d]!;
  }
  return mean;
}

function packDirections(
  memory: KernelMemory,
  data: Float32Array,
  codewords: number,
  width: number,
  books: readonly PackedStage[],
  centred: readonly Float64Array[],
  means: readonly Float32Array[],
  directions: Directions,
  basisAt: number,
): void {
  const { basis, rows } = directions;
  const panels = new Float32Array(memory.buffer, data.byteOffset + basisAt, rows * width);
  for (let e = 0; e < rows; e++) {
    const panel = (e - (e % PANEL)) * width + (e % PANEL);
    for (let d = 0; d < width; d++) panels[panel + d * PANEL] = basis[e * width + d]!;
  }
  books.forEach(({ short, features, shifts }, s) => {
    const book = centred[s]!;
    const z = coordinatesOf(book, width, directions);
    if (short) {
      const vectors = shorten(book, width, z, rows, features);
      // |r - c|² and R² are float32 where a bound is compared with them: 2⁻²⁰ (R² + L²).
      packPanels(memory.buffer, data.byteOffset, short, codewords, vectors, 2 ** -20);
    }
    const next = means[s + 1];
    if (next === undefined) return;
    const step = coordinatesOf(Float64Array.from(next), width, directions);
    const to = new Float32Array(memory.buffer, data.byteOffset + shifts, codewords * rows);
    for (let i = 0; i < to.length; i++) to[i] = z[i]! + step[i % rows]!;
  });
}
