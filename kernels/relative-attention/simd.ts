/**
 * Relative attention with WebAssembly SIMD: per head three matrix products around a softmax, on the tiles of
 * kernels/matmul/simd.ts. Keys, positions and values of a head are packed into panels; then blocks of queries, as many
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
 * A block of R queries needs T + R - 1 positions, in half panels; all else is read once per block, from the second-
 * level cache where it is larger than the first. The map T x T exists only where the caller asks for it.
 */

import { MOST_ROWS, PANEL } from '../matmul/simd.js';
import type { KernelMemory } from '../wasm/memory.js';
import { type PlacedRows, placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { SimdKernel } from '../wasm/runtime.js';
import { PANEL_BYTES } from './blocks.js';
import { defineRelativeAttention, type RelativeAttentionExports } from './head.js';
import type { RelativeAttention } from './reference.js';

/**
 * Floats before and behind a row of scores: the product with Pᵀ begins up to 3 positions early, in the last row of a
 * block up to 3 further left, and ends likewise.
 */
const GAP = 16;

const panelsOf = (columns: number): number => Math.ceil(columns / PANEL);

/** The mask as rows of 32 bits, all set where a key is masked; address 0 where there is none. */
function placeMask(memory: KernelMemory, masked: Uint8Array | null, offset: number, frames: number): number {
  if (masked === null) return 0;
  const pointer = memory.push(4 * frames);
  const bits = new Int32Array(memory.buffer, pointer, frames);
  for (let j = 0; j < frames; j++) bits[j] = masked[offset + j] === 0 ? 0 : -1;
  return pointer;
}

/** The rows of one head, where `rows` are those of the first. */
const headOf = ({ pointer, rowBytes }: PlacedRows, head: number, stride: number): PlacedRows => ({
  pointer: pointer + 4 * head * stride,
  rowBytes,
});

export const relativeAttentionSimd: SimdKernel<RelativeAttention, RelativeAttentionExports> = {
  name: 'relative-attention',
  summary: 'three tiled products per block of queries, the shift in the row stride, no map in memory',
  define: defineRelativeAttention,
  bind:
    (exports, memory) =>
    (
      { frames, heads, headSize, scale },
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
        const place = (data: Float32Array, offset: number, rowStride: number) =>
          placeInput(memory, data, offset, frames, across, rowStride);
        const q = place(query, queryOffset, queryRowStride);
        const k = place(key, keyOffset, keyRowStride);
        const v = place(value, valueOffset, valueRowStride);
        const p = placeInput(memory, positions, positionsOffset, 2 * frames - 1, width, positionsRowStride);
        const u = placeInput(memory, biasU, biasUOffset, 1, width, width);
        const w = placeInput(memory, biasV, biasVOffset, 1, width, width);
        const mask = placeMask(memory, masked, maskedOffset, frames);
        const to = placeOutput(memory, y, yOffset, frames, width, yRowStride);

        const panelRows = panelsOf(headSize) * PANEL_BYTES;
        const keys = memory.push(panelsOf(frames) * PANEL_BYTES * headSize);
        const table = memory.push(panelsOf(2 * frames - 1) * PANEL_BYTES * headSize);
        const values = memory.push(panelRows * frames);
        const queries = memory.push(2 * MOST_ROWS * panelRows);
        const results = memory.push(MOST_ROWS * panelRows);
        const scoreRow = panelsOf(frames) * PANEL + 2 * GAP;
        const scores = memory.push(4 * (MOST_ROWS + 1) * scoreRow) + 4 * GAP;
        const normalisers = memory.push(16 * MOST_ROWS);

        for (let h = 0; h < heads; h++) {
          const [qh, kh, vh] = [q, k, v].map((rows) => headOf(rows, h, headStride)) as [
            PlacedRows,
            PlacedRows,
            PlacedRows,
          ];
          const ph = headOf(p, h, headSize);
          const inner = memory.mark();
          const mapAt = mapOffset + h * mapHeadStride;
          const toMap = map && placeOutput(memory, map, mapAt, frames, frames, mapRowStride);
          exports.packTransposed(frames, headSize, kh.pointer, kh.rowBytes, keys);
          exports.packTransposed(2 * frames - 1, headSize, ph.pointer, ph.rowBytes, table);
          exports.packColumns(frames, headSize, vh.pointer, vh.rowBytes, values);
          exports.attendHead(
            frames,
            headSize,
            scale,
            qh.pointer,
            qh.rowBytes,
            u.pointer + 4 * h * headSize,
            w.pointer + 4 * h * headSize,
            keys,
            table,
            values,
            mask,
            toMap?.pointer ?? 0,
            toMap?.rowBytes ?? 0,
            to.pointer + 4 * h * headSize,
            to.rowBytes,
            queries,
            queries + MOST_ROWS * panelRows,
            panelRows,
            scores,
            4 * scoreRow,
            results,
            panelRows,
            normalisers,
            memory.zeros,
            0,
          );
          if (map && toMap) returnOutput(memory, toMap, map, mapAt, frames, frames, mapRowStride);
          memory.pop(inner);
        }
        returnOutput(memory, to, y, yOffset, frames, width, yRowStride);
      } finally {
        memory.pop(mark);
      }
    },
};
