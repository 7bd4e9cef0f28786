import type { RelativeAttentionSizes } from '../reference.js';

/**
 * Gradients of relative attention (../reference.ts) over one sequence, for each head:
 *
 *   G[i, j]  = scale · w[i, j] (dy[i] · v[j] - Σ_j w[i, j] dy[i] · v[j])       d loss / d (unscaled score)
 *   dq[i]    = Σ_j G[i, j] (k[j] + p[T - 1 - i + j])
 *   dk[j]    = Σ_i G[i, j] (q[i] + u)
 *   dv[j]    = Σ_i w[i, j] dy[i]
 *   dp[r]   += Σ_i G[i, r - (T - 1) + i] (q[i] + v)                            over the i whose key there is
 *   du      += Σ_i Σ_j G[i, j] k[j]
 *   dv bias += Σ_i Σ_j G[i, j] p[T - 1 - i + j]
 *
 * q, k and v of head h lie side by side in `queryKeyValue` [T, 3 · width], from 3 · headSize · h on, and so do their
 * gradients. `weights` is the attention map of the forward pass: the row of head h and frame i at
 * h · weightsHeadStride + i · weightsRowStride. A masked key has weight 0 there, and so gets no gradient. Positions and
 * biases serve many sequences, so their gradients are added to what is there.
 *
 * 2 · heads · T² · 6 · headSize operations. Source: the chain rule; Dai et al. 2019 for the forward pass.
 */
export type RelativeAttentionBackward = (
  sizes: Omit<RelativeAttentionSizes, 'keys'>,
  queryKeyValue: Float32Array,
  queryKeyValueOffset: number,
  queryKeyValueRowStride: number,
  positions: Float32Array,
  positionsOffset: number,
  positionsRowStride: number,
  biasU: Float32Array,
  biasUOffset: number,
  biasV: Float32Array,
  biasVOffset: number,
  weights: Float32Array,
  weightsOffset: number,
  weightsHeadStride: number,
  weightsRowStride: number,
  dy: Float32Array,
  dyOffset: number,
  dyRowStride: number,
  dQueryKeyValue: Float32Array,
  dQueryKeyValueOffset: number,
  dQueryKeyValueRowStride: number,
  dPositions: Float32Array,
  dPositionsOffset: number,
  dPositionsRowStride: number,
  dBiasU: Float32Array,
  dBiasUOffset: number,
  dBiasV: Float32Array,
  dBiasVOffset: number,
) => void;

/** A query at a time, in sums of float64. */
export const relativeAttentionBackwardReference: RelativeAttentionBackward = (
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
  const n = headSize;
  const scores = new Float64Array(frames);
  const [du, dvBias] = [new Float64Array(n), new Float64Array(n)];
  const [dKeys, dValues] = [new Float64Array(frames * n), new Float64Array(frames * n)];
  const dTable = new Float64Array((2 * frames - 1) * n);
  for (let h = 0; h < heads; h++) {
    const channel = h * n;
    for (const sums of [du, dvBias, dKeys, dValues, dTable]) sums.fill(0);
    for (let i = 0; i < frames; i++) {
      const query = qkvOffset + i * qkvRowStride + 3 * channel;
      const weightRow = weightsOffset + h * weightsHeadStride + i * weightsRowStride;
      const dyRow = dyOffset + i * dyRowStride + channel;
      let mean = 0;
      for (let j = 0; j < frames; j++) {
        const value = qkvOffset + j * qkvRowStride + 3 * channel + 2 * n;
        const weight = weights[weightRow + j];
        let dWeight = 0;
        for (let d = 0; d < n; d++) {
          dWeight += dy[dyRow + d] * qkv[value + d];
          dValues[j * n + d] += weight * dy[dyRow + d];
        }
        scores[j] = dWeight;
        mean += weight * dWeight;
      }
      for (let j = 0; j < frames; j++) scores[j] = scale * weights[weightRow + j] * (scores[j] - mean);

      const dQuery = dQkvOffset + i * dQkvRowStride + 3 * channel;
      for (let d = 0; d < n; d++) {
        const shiftedU = qkv[query + d] + biasU[biasUOffset + channel + d];
        const shiftedV = qkv[query + d] + biasV[biasVOffset + channel + d];
        let [byContent, byPosition] = [0, 0];
        for (let j = 0; j < frames; j++) {
          const distance = frames - 1 - i + j;
          byContent += scores[j] * qkv[qkvOffset + j * qkvRowStride + 3 * channel + n + d];
          byPosition += scores[j] * positions[positionsOffset + distance * positionsRowStride + channel + d];
          dKeys[j * n + d] += scores[j] * shiftedU;
          dTable[distance * n + d] += scores[j] * shiftedV;
        }
        dQkv[dQuery + d] = byContent + byPosition;
        du[d] += byContent;
        dvBias[d] += byPosition;
      }
    }
    for (let j = 0; j < frames; j++) {
      const to = dQkvOffset + j * dQkvRowStride + 3 * channel + n;
      for (let d = 0; d < n; d++) {
        dQkv[to + d] = dKeys[j * n + d];
        dQkv[to + n + d] = dValues[j * n + d];
      }
    }
    for (let r = 0; r < 2 * frames - 1; r++) {
      const to = dPositionsOffset + r * dPositionsRowStride + channel;
      for (let d = 0; d < n; d++) dPositions[to + d] += dTable[r * n + d];
    }
    for (let d = 0; d < n; d++) {
      dBiasU[dBiasUOffset + channel + d] += du[d];
      dBiasV[dBiasVOffset + channel + d] += dvBias[d];
    }
  }
};
