/** Sizes of a rotation of the queries or keys of one sequence. */
export interface RotaryPositionsSizes {
  readonly frames: number;
  readonly heads: number;
  /** Features of a head, an even number. */
  readonly headSize: number;
}

/**
 * Rotary positions: each pair of features of a head is turned by an angle that grows with the frame,
 *
 *   y[2i]     = x[2i] cos(t ω_i) - x[2i + 1] sin(t ω_i)
 *   y[2i + 1] = x[2i + 1] cos(t ω_i) + x[2i] sin(t ω_i)
 *
 * so that products of queries and keys depend on their distance alone. Row t of the table [frames, 2 · headSize] holds
 * `headSize` cosines, that of pair i twice, and then the sines in the same way, the first of each two negative; all
 * heads share it.
 *
 * X is row stride apart in time and `headStride` apart from head to head; Y likewise, and may be X. 3 operations and
 * 8 bytes per element. Source: Su et al. 2021 (RoFormer), pairs as SpeechBrain's RoPEMHA has them.
 */
export type RotaryPositions = (
  sizes: RotaryPositionsSizes,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  xHeadStride: number,
  table: Float32Array,
  tableOffset: number,
  tableRowStride: number,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
  yHeadStride: number,
) => void;

export const rotaryPositionsReference: RotaryPositions = (
  { frames, heads, headSize },
  x,
  xOffset,
  xRowStride,
  xHeadStride,
  table,
  tableOffset,
  tableRowStride,
  y,
  yOffset,
  yRowStride,
  yHeadStride,
) => {
  for (let t = 0; t < frames; t++) {
    const cosines = tableOffset + t * tableRowStride;
    const sines = cosines + headSize;
    for (let h = 0; h < heads; h++) {
      const from = xOffset + t * xRowStride + h * xHeadStride;
      const to = yOffset + t * yRowStride + h * yHeadStride;
      for (let d = 0; d < headSize; d += 2) {
        const a = x[from + d];
        const b = x[from + d + 1];
        y[to + d] = a * table[cosines + d] + b * table[sines + d];
        y[to + d + 1] = b * table[cosines + d + 1] + a * table[sines + d + 1];
      }
    }
  }
};
