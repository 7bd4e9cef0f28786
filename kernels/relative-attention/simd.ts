/**
 * Relative attention with WebAssembly SIMD: per head three matrix products around a softmax, on the tiles of
 * kernels/matmul/tile.ts. Keys, positions and values of a head are packed into panels; then blocks of queries, as many
 * as a tile has rows, go through all steps while their scores stay in the first-level cache:
 *
 *   S[i, j]  = scale (q[i] + v) · p[T - 1 - i + j]     product with Pᵀ, shifted
 *   S[i, j] += scale (q[i] + u) · k[j]                 product with Kᵀ, onto it
 *   E[i, j]  = exp(S[i, j] - max_j S[i, j])            0 where key j is masked
 *   y[i]     = Σ_j E[i, j] v[j] / Σ_j E[i, j]          product with V, scaled at the end
 *
 * The relative shift costs nothing. The product with Pᵀ gives row i at position p; score j = p - (T - 1) + i of that
 * row lies one place further right in each row, so the tile is written with rows that are one float longer. What falls
 * before the first key or behind the last lands in the gaps between the rows of S, which are wide enough for it.
 *
 * Without positions the first product falls away, and what is added to the scores, if anything, is copied to their place
 * before the second.
 *
 * A block of R queries needs T + R - 1 positions, in half panels; all else is read once per block, from the second-
 * level cache where it is larger than the first. The map T x T exists only where the caller asks for it.
 */

import { MOST_ROWS, PANEL } from '../matmul/tile.js';
import type { KernelMemory } from '../wasm/memory.js';
import { type PlacedRows, placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { SimdKernel } from '../wasm/runtime.js';
import { PANEL_BYTES } from './blocks.js';
import { defineRelativeAttention, headsArguments, type RelativeAttentionExports } from './head.js';
import type { RelativeAttention } from './reference.js';

/**
 * Floats before and behind a row of scores: the product with Pᵀ begins up to 3 positions early, in the last row of a
 * block up to 3 further left, and ends likewise.
 */
const GAP = 16;

/** Of an operand that is not there. */
const NOWHERE: PlacedRows = { pointer: 0, rowBytes: 0 };

const panelsOf = (columns: number): number => Math.ceil(columns / PANEL);

/** The mask as rows of 32 bits, all set where a key is masked; address 0 where there is none. */
function placeMask(memory: KernelMemory, masked: Uint8Array | null, offset: number, frames: number): number {
  if (masked === null) return 0;
  const pointer = memory.push(4 * frames);
  const bits = new Int32Array(memory.buffer, pointer, frames);
  for (let j = 0; j < frames; j++) bits[j] = masked[offset + j] === 0 ? 0 : -1;
  return pointer;
}

/** Address of the map's first row: where it is, or where it can be written before it is copied out. */
const placeMap = (memory: KernelMemory, map: Float32Array, offset: number, rows: number, columns: number) =>
  memory.holds(map) ? map.byteOffset + 4 * offset : memory.push(4 * rows * columns);

/** The bits of a float32, as an integer. */
const bitsOf = (value: number): number => new Int32Array(Float32Array.of(value).buffer)[0] as number;

/** Scratch of one thread: packed keys, positions and values of a head, and the rows of a block of queries. */
function pushScratch(memory: KernelMemory, keys: number, positions: number, headSize: number) {
  const panelRowBytes = panelsOf(headSize) * PANEL_BYTES;
  const scoreRow = panelsOf(keys) * PANEL + 2 * GAP;
  return {
    keys: memory.push(panelsOf(keys) * PANEL_BYTES * headSize),
    // Address 0: there are no positions
    table: positions === 0 ? 0 : memory.push(panelsOf(positions) * PANEL_BYTES * headSize),
    values: memory.push(panelRowBytes * keys),
    queries: memory.push(2 * MOST_ROWS * panelRowBytes),
    panelRowBytes,
    results: memory.push(MOST_ROWS * panelRowBytes),
    scores: memory.push(4 * (MOST_ROWS + 1) * scoreRow) + 4 * GAP,
    scoreRowBytes: 4 * scoreRow,
    normalisers: memory.push(16 * MOST_ROWS),
  };
}

export const relativeAttentionSimd: SimdKernel<RelativeAttention, RelativeAttentionExports> = {
  name: 'relative-attention',
  summary: 'three tiled products per block of queries, the shift in the row stride, no map in memory',
  define: defineRelativeAttention,
  threaded: true,
  bind:
    (exports, memory, threads) =>
    (
      { frames, keys = frames, heads, headSize, scale },
      query,
      queryOffset,
      queryRowStride,
      key,
      keyOffset,
      keyRowStride,
      value,
      valueOffset,
      valueRowStride,
      headStride,
      positions,
      positionsOffset,
      positionsRowStride,
      biasU,
      biasUOffset,
      biasV,
      biasVOffset,
      added,
      addedOffset,
      addedRowStride,
      masked,
      maskedOffset,
      map,
      mapOffset,
      mapHeadStride,
      mapRowStride,
      y,
      yOffset,
      yRowStride,
    ) => {
      const mark = memory.mark();
      try {
        const width = heads * headSize;
        const across = (heads - 1) * headStride + headSize;
        const place = (
          data: Float32Array | null,
          offset: number,
          rows: number,
          columns: number,
          rowStride: number,
        ) => (data === null ? NOWHERE : placeInput(memory, data, offset, rows, columns, rowStride));
        const q = place(query, queryOffset, frames, across, queryRowStride);
        const k = place(key, keyOffset, keys, across, keyRowStride);
        const v = place(value, valueOffset, keys, across, valueRowStride);
        const distances = positions === null ? 0 : frames + keys - 1;
        const p = place(positions, positionsOffset, distances, width, positionsRowStride);
        const u = place(biasU, biasUOffset, 1, width, width);
        const w = place(biasV, biasVOffset, 1, width, width);
        const more = place(added, addedOffset, frames, keys, addedRowStride);
        const mask = placeMask(memory, masked, maskedOffset, keys);
        const to = placeOutput(memory, y, yOffset, frames, width, yRowStride);

        // The whole map, where one is asked for that lies elsewhere. Without one, nothing must move on from 0.
        const toMap = map && placeMap(memory, map, mapOffset, heads * frames, keys);
        const inPlace = map !== null && memory.holds(map);
        const [mapHead, mapRow] = inPlace ? [mapHeadStride, mapRowStride] : [frames * keys, keys];

        // A thread takes a run of heads.
        const operations = (positions === null ? 4 : 6) * heads * frames * keys * headSize;
        const each = Math.ceil(heads / Math.min(heads, threads.count(operations)));
        const parts: number[][] = [];
        for (let h = 0; h < heads; h += each) {
          parts.push(
            headsArguments({
              heads: Math.min(each, heads - h),
              frames,
              keyCount: keys,
              width: headSize,
              scaleBits: bitsOf(scale),
              q: q.pointer + 4 * h * headStride,
              qRowBytes: q.rowBytes,
              k: k.pointer + 4 * h * headStride,
              kRowBytes: k.rowBytes,
              v: v.pointer + 4 * h * headStride,
              vRowBytes: v.rowBytes,
              headBytes: 4 * headStride,
              positions: p.pointer + 4 * h * headSize,
              positionRowBytes: p.rowBytes,
              biasU: u.pointer + 4 * h * headSize,
              biasV: w.pointer + 4 * h * headSize,
              added: more.pointer,
              addedRowBytes: more.rowBytes,
              masked: mask,
              map: toMap === null ? 0 : toMap + 4 * h * mapHead,
              mapHeadBytes: toMap === null ? 0 : 4 * mapHead,
              mapRowBytes: toMap === null ? 0 : 4 * mapRow,
              y: to.pointer + 4 * h * headSize,
              yRowBytes: to.rowBytes,
              ...pushScratch(memory, keys, distances, headSize),
              zeros: memory.zeros,
              zero: 0,
            }),
          );
        }
        threads.run('attendHeads', parts, exports.attendHeads);
        for (let h = 0; map && toMap && !inPlace && h < heads; h++) {
          const rows = toMap + 4 * h * mapHead;
          memory.copyOut(rows, map, mapOffset + h * mapHeadStride, frames, keys, mapRowStride);
        }
        returnOutput(memory, to, y, yOffset, frames, width, yRowStride);
      } finally {
        memory.pop(mark);
      }
    },
};
