/**
 * Residual vector quantisation of `count` vectors by `stages` codebooks:
 *
 *   r_0 = x;  index[s] = argmin_v |r_s - C[s, v]|²  (the lowest v of equals);  r_{s+1} = r_s - C[s, index[s]]
 *
 * `residual` [count, width] holds the vectors x on entry and what no stage explained on return. Codebooks
 * are [stages, codewords, width] without gaps; indices [count, stages]. A vector that holds NaN gets index 0
 * from every stage it reaches.
 *
 * Distances are compared as if in float64; residuals are rounded to float32 between stages (as frameworks do).
 * The codebooks are packed once. 3 · count · stages · codewords · width operations by brute force.
 */
export interface NearestCodewordKernel {
  pack(
    stages: number,
    codewords: number,
    width: number,
    codebooks: Float32Array,
    codebooksOffset: number,
    lifetime: 'kept' | 'work',
  ): PackedCodebooks;
  /** Quantises by the first `stages` of the codebooks. */
  encode(
    count: number,
    stages: number,
    codebooks: PackedCodebooks,
    residual: Float32Array,
    residualOffset: number,
    residualRowStride: number,
    indices: Int32Array,
    indicesOffset: number,
    indicesRowStride: number,
  ): void;
}

/** Codebooks as one variant wants them; no other can read them. */
export interface PackedCodebooks {
  readonly stages: number;
  readonly codewords: number;
  readonly width: number;
  readonly data: Float32Array;
  readonly offset: number;
}

/** Features summed before a partial distance is compared with the best one. */
const BLOCK = 16;

/**
 * Nothing is copied to pack. A codeword is given up as soon as its partial distance exceeds the best one: exact,
 * because a sum of squares only grows.
 */
export const nearestCodewordReference: NearestCodewordKernel = {
  pack: (stages, codewords, width, data, offset) => ({ stages, codewords, width, data, offset }),
  encode: encodeReference,
};

function encodeReference(
  count: number,
  stages: number,
  { codewords, width, data: codebooks, offset: codebooksOffset }: PackedCodebooks,
  residual: Float32Array,
  residualOffset: number,
  residualRowStride: number,
  indices: Int32Array,
  indicesOffset: number,
  indicesRowStride: number,
): void {
  for (let n = 0; n < count; n++) {
    const row = residualOffset + n * residualRowStride;
    for (let s = 0; s < stages; s++) {
      const book = codebooksOffset + s * codewords * width;
      let best = 0;
      let bestDistance = Infinity;
      for (let v = 0; v < codewords; v++) {
        const word = book + v * width;
        let distance = 0;
        for (let start = 0; start < width && distance < bestDistance; start += BLOCK) {
          const end = Math.min(start + BLOCK, width);
          for (let d = start; d < end; d++) {
            const difference = residual[row + d] - codebooks[word + d];
            distance += difference * difference;
          }
        }
        if (distance < bestDistance) {
          best = v;
          bestDistance = distance;
        }
      }
      indices[indicesOffset + n * indicesRowStride + s] = best;
      const word = book + best * width;
      for (let d = 0; d < width; d++) residual[row + d] -= codebooks[word + d];
    }
  }
}
