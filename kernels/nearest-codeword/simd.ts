/**
 * Nearest codewords with WebAssembly SIMD: scores in 16-bit integers, decisions in float64.
 *
 * A piece of work is as many frames as stay in the cache with their scores. Each stage scales and rounds
 * the residuals (`quantiseFrames`), scores them against the codebook (`scoreFrames`), and picks codewords and subtracts
 * them (`chooseCodewords`). Scores are wrong by at most a known bound (layout.ts); the few codewords within it are
 * compared in float32, then float64, as the reference does. So the indices are the reference's, on every machine.
 *
 * Where codebooks lie near a subspace, the scores are lower bounds of a few features (directions.ts), and the
 * codewords that these can't rule out are compared. A stage in which too many are left returns to whole vectors.
 */
import type { ModuleBuilder } from '../wasm/assembler.js';
import type { KernelMemory } from '../wasm/memory.js';
import { placeInput } from '../wasm/operands.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import { defineChoose } from './choose.js';
import { PANEL, padded, panelsOf, STATE } from './layout.js';
import { packCodebooks, type SimdCodebooks } from './pack.js';
import { defineQuantise } from './quantise.js';
import type { NearestCodewordKernel } from './reference.js';
import { defineSweeps, type Sweep } from './tile.js';

function defineNearestCodeword(module: ModuleBuilder, arithmetic: Arithmetic): void {
  defineSweeps(module, arithmetic);
  defineQuantise(module);
  defineChoose(module);
}

export interface NearestCodewordExports {
  readonly scoreFrames: Sweep;
  readonly projectFrames: Sweep;
  centreFrames(
    frames: number,
    width: number,
    r: number,
    rowBytes: number,
    header: number,
    mean: number,
    centred: number,
    centredBytes: number,
    states: number,
    spread: number,
  ): void;
  quantiseFrames(
    frames: number,
    width: number,
    r: number,
    rowBytes: number,
    header: number,
    mean: number,
    centred: number,
    centredBytes: number,
    states: number,
    features: number,
    featuresHeader: number,
    y: number,
    yBytes: number,
    scaled: number,
    scaledBytes: number,
  ): void;
  chooseCodewords(
    frames: number,
    rowBytes: number,
    bytes: number,
    codewords: number,
    r: number,
    words: number,
    scores: number,
    scoresBytes: number,
    state: number,
    list: number,
    distances: number,
    slack: number,
    bounds: number,
    indices: number,
    indicesBytes: number,
    y: number,
    yBytes: number,
    shifts: number,
    shiftBytes: number,
  ): number;
}

/** Bytes of the vectors r' of one piece of work, and of their scores: what the second-level cache holds with ease. */
const VECTOR_BYTES = 49152;
const SCORE_BYTES = 131072;
/** Frames of a piece: whole tiles of 4, and at least 8, because each piece reads the codebooks once. */
const framesOf = (vectorBytes: number, scoreBytes: number): number =>
  Math.max(8, 4 * Math.floor(Math.min(VECTOR_BYTES / vectorBytes, SCORE_BYTES / scoreBytes) / 4));

/** Pieces without bounds before they are tried again. */
const PATIENCE = 64;
/** Frames over which the number of comparisons is averaged. */
const MEMORY = 32;

export const nearestCodewordSimd: SimdKernel<NearestCodewordKernel, NearestCodewordExports> = {
  name: 'nearest-codeword',
  summary: 'scores or bounds of them in 16-bit integers, what these leave compared in float64',
  define: defineNearestCodeword,
  bind: (exports, memory) => {
    const integers = new Int32Array(memory.buffer);
    return {
      pack: (stages, codewords, width, codebooks, offset, lifetime) =>
        packCodebooks(memory, stages, codewords, width, codebooks, offset, lifetime),
      encode(
        count,
        stages,
        books: SimdCodebooks,
        residual,
        residualOffset,
        residualRowStride,
        indices,
        indicesOffset,
        indicesRowStride,
      ) {
        if (count === 0 || stages === 0) return;
        const { width } = books;
        const mark = memory.mark();
        try {
          const r = placeInput(memory, residual, residualOffset, count, width, residualRowStride);
          const found = memory.push(4 * count * stages);
          encodeRows(exports, memory, books, count, stages, r.pointer, r.rowBytes, found);
          for (let n = 0, from = found >> 2; n < count; n++) {
            const to = indicesOffset + n * indicesRowStride;
            for (let s = 0; s < stages; s++) indices[to + s] = integers[from++]!;
          }
          if (!memory.holds(residual)) {
            memory.copyOut(r.pointer, residual, residualOffset, count, width, residualRowStride);
          }
        } finally {
          memory.pop(mark);
        }
      },
    };
  },
};

/** Encodes residuals in the kernels' memory; indices [count, stages] to `found`. */
function encodeRows(
  exports: NearestCodewordExports,
  memory: KernelMemory,
  { codewords, width, data, books, rows, basis }: SimdCodebooks,
  count: number,
  stages: number,
  residual: number,
  rowBytes: number,
  found: number,
): void {
  const panels = panelsOf(codewords);
  const scoresBytes = 4 * PANEL * panels;
  const scaledBytes = 2 * padded(width);
  const centredBytes = 4 * padded(width);
  const most = Math.min(count, framesOf(scaledBytes, scoresBytes));
  const scaled = memory.push(most * scaledBytes);
  const scores = memory.push(most * scoresBytes);
  const states = memory.push(most * STATE.bytes);
  const list = memory.push(scoresBytes);
  const distances = memory.push(scoresBytes);
  const centred = memory.pushFloats((most * centredBytes) >> 2).fill(0).byteOffset;
  const y = memory.push(4 * most * rows);
  const block = data.byteOffset;
  // Twice what float32 distances of the same truth may differ by, relatively.
  const slack = 1 + (width + 64) * 2 ** -24;
  // Rows of B and sums of D products are float32.
  const spread = (width + 8) * Math.sqrt(rows) * 2 ** -24;

  for (let n = 0; n < count; n += most) {
    const frames = Math.min(most, count - n);
    const r = residual + n * rowBytes;
    // The last stage whose bounds are used: until then y is kept up.
    let last = -1;
    for (let s = 0; s < stages; s++) {
      const { short, search } = books[s]!;
      if (short === null) continue;
      if (search.left < books[s]!.most || --search.rest < 0) last = s;
    }
    if (last >= 0) {
      const { whole, mean } = books[0]!;
      exports.centreFrames(
        frames,
        width,
        r,
        rowBytes,
        block + whole.header,
        block + mean,
        centred,
        centredBytes,
        states,
        spread,
      );
      exports.projectFrames(
        frames,
        rows / PANEL,
        width,
        centred,
        centredBytes,
        block + basis,
        0,
        states,
        y,
        4 * rows,
      );
    }
    for (let s = 0; s < stages; s++) {
      const book = books[s]!;
      const { short, search } = book;
      const used = short !== null && (search.left < book.most || search.rest < 0) ? short : null;
      exports.quantiseFrames(
        frames,
        width,
        r,
        rowBytes,
        block + book.whole.header,
        block + book.mean,
        centred,
        0,
        states,
        used ? book.features : 0,
        block + (used ?? book.whole).header,
        y,
        4 * rows,
        scaled,
        scaledBytes,
      );
      const { steps, panels: at } = used ?? book.whole;
      exports.scoreFrames(
        frames,
        panels,
        steps,
        scaled,
        scaledBytes,
        block + at,
        block + book.halves,
        states,
        scores,
        scoresBytes,
      );
      const left = exports.chooseCodewords(
        frames,
        rowBytes,
        4 * width,
        codewords,
        r,
        block + book.words,
        scores,
        scoresBytes,
        states,
        list,
        distances,
        slack,
        used ? 1 : 0,
        found + 4 * (n * stages + s),
        4 * stages,
        y,
        4 * rows,
        block + book.shifts,
        s < last ? 4 * rows : 0,
      );
      if (used) {
        search.left += (left - frames * search.left) / (frames + MEMORY);
        search.rest = PATIENCE;
      }
    }
  }
}
