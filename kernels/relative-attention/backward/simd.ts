/**
 * Gradients of relative attention with WebAssembly SIMD: per head six matrix products on the tiles of
 * kernels/matmul/tile.ts, around the gradient of a softmax.
 *
 *   W' = dY Vᵀ                    rows of W' become rows of G while they are in the first-level cache
 *   dQ = G K + shifted(G) P       the sums of the rows of each are the gradients of the biases
 *   dK = Gᵀ (Q + u),  dV = Wᵀ dY,  dP = shifted(G)ᵀ (Q + v)
 *
 * shifted(G) is G read in rows that are one float longer than they are: column r - (T - 1) + i of row i is then column r.
 * What lies beside G must therefore be zeros, in gaps of four floats. Transposed products read G and W as they lie, four
 * numbers of a row at a step, so nothing is turned but V.
 *
 * G [T, T] of one head is in scratch: 10 KB at T = 50, 250 KB at T = 250.
 */
import { MOST_ROWS, PANEL, PANEL_BYTES } from '../../matmul/tile.js';
import type { KernelMemory } from '../../wasm/memory.js';
import { placeInput, placeOutput, returnOutput } from '../../wasm/operands.js';
import type { SimdKernel } from '../../wasm/runtime.js';
import {
  backwardArguments,
  defineRelativeAttentionBackward,
  type RelativeAttentionBackwardExports,
} from './head.js';
import type { RelativeAttentionBackward } from './reference.js';

/** Zeros before and behind a row of G. */
const GAP = 4;

/** Floats of a row of G and its gap: an odd number of vectors, so that columns spread over the cache's sets. */
function gradientRow(frames: number): number {
  const row = 4 * Math.ceil(frames / 4) + GAP;
  return row % 8 === 0 ? row + 4 : row;
}

/** Scratch of one head. */
function pushScratch(memory: KernelMemory, frames: number, headSize: number) {
  const panelRowBytes = Math.ceil(headSize / PANEL) * PANEL_BYTES;
  const panels = (rows: number) => memory.push(panelRowBytes * rows);
  const gRow = gradientRow(frames);
  // A block's product reaches up to a panel past the last row.
  const lead = memory.push(4 * (GAP + frames * gRow + 2 * PANEL));
  new Float32Array(memory.buffer, lead, GAP).fill(0);
  return {
    values: memory.push(Math.ceil(frames / PANEL) * PANEL_BYTES * headSize),
    keys: panels(frames),
    table: panels(2 * frames - 1),
    queriesU: panels(frames),
    queriesV: panels(frames),
    upstream: panels(frames),
    g: lead + 4 * GAP,
    gRowBytes: 4 * gRow,
    results: panels(2 * MOST_ROWS),
    resultRowBytes: panelRowBytes,
    sums: panels(2),
  };
}

export const relativeAttentionBackwardSimd: SimdKernel<
  RelativeAttentionBackward,
  RelativeAttentionBackwardExports
> = {
  name: 'relative-attention-backward',
  summary: 'six tiled products per head, maps read turned and shifted where they lie',
  define: defineRelativeAttentionBackward,
  bind:
    (exports, memory) =>
    (
      { frames, heads, headSize, scale },
      qkv,
      qkvOffset,
      qkvRowStride,
      positions,
      positionsOffset,
      positionsRowStride,
      biasU,
      biasUOffset,
      biasV,
      biasVOffset,
      weights,
      weightsOffset,
      weightsHeadStride,
      weightsRowStride,
      dy,
      dyOffset,
      dyRowStride,
      dQkv,
      dQkvOffset,
      dQkvRowStride,
      dPositions,
      dPositionsOffset,
      dPositionsRowStride,
      dBiasU,
      dBiasUOffset,
      dBiasV,
      dBiasVOffset,
    ) => {
      const mark = memory.mark();
      try {
        const width = heads * headSize;
        const distances = 2 * frames - 1;
        const [x, table] = [
          placeInput(memory, qkv, qkvOffset, frames, 3 * width, qkvRowStride),
          placeInput(memory, positions, positionsOffset, distances, width, positionsRowStride),
        ];
        const u = placeInput(memory, biasU, biasUOffset, 1, width, width);
        const v = placeInput(memory, biasV, biasVOffset, 1, width, width);
        const upstream = placeInput(memory, dy, dyOffset, frames, width, dyRowStride);
        const map = placeMaps(
          memory,
          weights,
          weightsOffset,
          heads,
          frames,
          weightsHeadStride,
          weightsRowStride,
        );
        const to = placeOutput(memory, dQkv, dQkvOffset, frames, 3 * width, dQkvRowStride);
        // These are added to: what is there is copied in, and the sum is copied out.
        const dTable = placeInput(
          memory,
          dPositions,
          dPositionsOffset,
          distances,
          width,
          dPositionsRowStride,
        );
        const du = placeInput(memory, dBiasU, dBiasUOffset, 1, width, width);
        const dv = placeInput(memory, dBiasV, dBiasVOffset, 1, width, width);
        exports.attentionGradients(
          ...backwardArguments({
            heads,
            frames,
            width: headSize,
            scale,
            qkv: x.pointer,
            qkvRowBytes: x.rowBytes,
            positions: table.pointer,
            positionRowBytes: table.rowBytes,
            biasU: u.pointer,
            biasV: v.pointer,
            ...map,
            dy: upstream.pointer,
            dyRowBytes: upstream.rowBytes,
            dQkv: to.pointer,
            dQkvRowBytes: to.rowBytes,
            dPositions: dTable.pointer,
            dPositionRowBytes: dTable.rowBytes,
            dBiasU: du.pointer,
            dBiasV: dv.pointer,
            ...pushScratch(memory, frames, headSize),
            zeros: memory.zeros,
            zero: 0,
          }),
        );
        returnOutput(memory, to, dQkv, dQkvOffset, frames, 3 * width, dQkvRowStride);
        returnOutput(memory, dTable, dPositions, dPositionsOffset, distances, width, dPositionsRowStride);
        returnOutput(memory, du, dBiasU, dBiasUOffset, 1, width, width);
        returnOutput(memory, dv, dBiasV, dBiasVOffset, 1, width, width);
      } finally {
        memory.pop(mark);
      }
    },
};

/** The attention map, where it is or in a copy without gaps. */
function placeMaps(
  memory: KernelMemory,
  weights: Float32Array,
  offset: number,
  heads: number,
  frames: number,
  headStride: number,
  rowStride: number,
) {
  if (memory.holds(weights)) {
    const pointer = weights.byteOffset + 4 * offset;
    return { weights: pointer, weightHeadBytes: 4 * headStride, weightRowBytes: 4 * rowStride };
  }
  const pointers = Array.from({ length: heads }, (_, h) =>
    memory.copyIn(weights, offset + h * headStride, frames, frames, rowStride),
  );
  // The stack grows down, so each head lies below the one before.
  const [first, second = first] = pointers as [number, number?];
  return { weights: first, weightHeadBytes: second - first, weightRowBytes: 4 * frames };
}
