/** Sizes of one attention over one sequence. */
export interface RelativeAttentionSizes {
  readonly frames: number;
  /** Keys and values; as many as frames where it is left out. With positions no fewer: the frames are the last of them. */
  readonly keys?: number;
  readonly heads: number;
  readonly headSize: number;
  /** Factor on the scores; SpeechBrain's is 1 / sqrt(model width), not 1 / sqrt(headSize). */
  readonly scale: number;
}

/**
 * Multi-head self-attention with relative positions (Transformer-XL), for each head h and frame i:
 *
 *   score[j] = scale · ((q[i] + u[h]) · k[j] + (q[i] + v[h]) · p[frames - 1 - i + j])
 *   y[i]     = Σ_j softmax(score)[j] v[j]          over the keys j that are not masked
 *
 * q, k and v are slices of projected frames: row stride apart in time, `headStride` apart from head to head
 * (SpeechBrain packs q, k, v of one head side by side, so its head stride is 3 · headSize). Positions p are
 * [frames + keys - 1, heads · headSize]; indexing them by frames - 1 - i + j is the "relative shift", done
 * without moving memory. Where there are more keys than frames, those that come first are of frames before them, as a stream
 * that runs in chunks remembers them: i is then the frame keys - frames + i of the keys. u and v biases are [heads, headSize]. A masked key (1) takes no weight; a frame
 * all of whose keys are masked becomes zero.
 *
 * Without positions (null, and with them u and v) this is plain attention: the frames may then attend to another sequence
 * of `keys` keys and values, and `added` [frames, keys], where it is not null, is added to the scores after scaling:
 *
 *   score[j] = scale · q[i] · k[j] + added[i, j]
 *
 * `weights`, where it is not null, receives the softmax rows (the attention map): the row of head h and frame i
 * at h · weightsHeadStride + i · weightsRowStride.
 *
 * 2 · heads · frames · keys · 3 · headSize operations, of which a third are the positions'. Source: Dai et al. 2019; SpeechBrain RelPosMHAXL.
 */
export type RelativeAttention = (
  sizes: RelativeAttentionSizes,
  query: Float32Array,
  queryOffset: number,
  queryRowStride: number,
  key: Float32Array,
  keyOffset: number,
  keyRowStride: number,
  value: Float32Array,
  valueOffset: number,
  valueRowStride: number,
  headStride: number,
  positions: Float32Array | null,
  positionsOffset: number,
  positionsRowStride: number,
  biasU: Float32Array | null,
  biasUOffset: number,
  biasV: Float32Array | null,
  biasVOffset: number,
  added: Float32Array | null,
  addedOffset: number,
  addedRowStride: number,
  masked: Uint8Array | null,
  maskedOffset: number,
  weights: Float32Array | null,
  weightsOffset: number,
  weightsHeadStride: number,
  weightsRowStride: number,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
) => void;

/** A query row at a time; sums are float64. Four keys share each load of the query. */
export const relativeAttentionReference: RelativeAttention = (
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
  // q[i] + u, then q[i] + v
  const shifted = new Float64Array(2 * headSize);
  const weights = map ?? new Float32Array(keys);
  for (let h = 0; h < heads; h++) {
    const channel = h * headSize;
    for (let i = 0; i < frames; i++) {
      const q = queryOffset + i * queryRowStride + h * headStride;
      const row = map === null ? 0 : mapOffset + h * mapHeadStride + i * mapRowStride;
      let j = 0;
      if (positions === null || biasU === null || biasV === null) {
        for (; j < keys; j++) {
          const k = keyOffset + j * keyRowStride + h * headStride;
          let sum = 0;
          for (let d = 0; d < headSize; d++) sum += query[q + d] * key[k + d];
          weights[row + j] = sum * scale + (added === null ? 0 : added[addedOffset + i * addedRowStride + j]);
        }
      } else {
        for (let d = 0; d < headSize; d++) {
          shifted[d] = query[q + d] + biasU[biasUOffset + channel + d];
          shifted[headSize + d] = query[q + d] + biasV[biasVOffset + channel + d];
        }
        for (; j + 4 <= keys; j += 4) {
          let k0 = keyOffset + j * keyRowStride + h * headStride;
          let p0 = positionsOffset + (frames - 1 - i + j) * positionsRowStride + channel;
          let s0 = 0;
          let s1 = 0;
          let s2 = 0;
          let s3 = 0;
          for (let d = 0; d < headSize; d++) {
            const qu = shifted[d];
            const qv = shifted[headSize + d];
            s0 += qu * key[k0] + qv * positions[p0];
            s1 += qu * key[k0 + keyRowStride] + qv * positions[p0 + positionsRowStride];
            s2 += qu * key[k0 + 2 * keyRowStride] + qv * positions[p0 + 2 * positionsRowStride];
            s3 += qu * key[k0 + 3 * keyRowStride] + qv * positions[p0 + 3 * positionsRowStride];
            k0++;
            p0++;
          }
          weights[row + j] = s0 * scale;
          weights[row + j + 1] = s1 * scale;
          weights[row + j + 2] = s2 * scale;
          weights[row + j + 3] = s3 * scale;
        }
        for (; j < keys; j++) {
          const k0 = keyOffset + j * keyRowStride + h * headStride;
          const p0 = positionsOffset + (frames - 1 - i + j) * positionsRowStride + channel;
          let sum = 0;
          for (let d = 0; d < headSize; d++) {
            sum += shifted[d] * key[k0 + d] + shifted[headSize + d] * positions[p0 + d];
          }
          weights[row + j] = sum * scale;
        }
      }

      let largest = -Infinity;
      for (j = 0; j < keys; j++) {
        if (masked !== null && masked[maskedOffset + j] !== 0) continue;
        if (weights[row + j] > largest) largest = weights[row + j];
      }
      let total = 0;
      for (j = 0; j < keys; j++) {
        if (masked !== null && masked[maskedOffset + j] !== 0) continue;
        const e = Math.exp(weights[row + j] - largest);
        weights[row + j] = e;
        total += e;
      }
      for (j = 0; j < keys; j++) {
        if (masked !== null && masked[maskedOffset + j] !== 0) weights[row + j] = 0;
        else weights[row + j] /= total;
      }

      const to = yOffset + i * yRowStride + channel;
      let d = 0;
      for (; d + 4 <= headSize; d += 4) {
        let from = valueOffset + h * headStride + d;
        let y0 = 0;
        let y1 = 0;
        let y2 = 0;
        let y3 = 0;
        for (j = 0; j < keys; j++) {
          const w = weights[row + j];
          y0 += w * value[from];
          y1 += w * value[from + 1];
          y2 += w * value[from + 2];
          y3 += w * value[from + 3];
          from += valueRowStride;
        }
        y[to + d] = y0;
        y[to + d + 1] = y1;
        y[to + d + 2] = y2;
        y[to + d + 3] = y3;
      }
      for (; d < headSize; d++) {
        let sum = 0;
        for (j = 0; j < keys; j++) {
          sum += weights[row + j] * value[valueOffset + j * valueRowStride + h * headStride + d];
        }
        y[to + d] = sum;
      }
    }
  }
};
