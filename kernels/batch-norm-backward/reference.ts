/**
 * Gradients of batch normalisation, y = x̂ · weight + bias with x̂ = (x - mean[c]) / sqrt(variance[c] + epsilon):
 *
 *   dweight[c] = Σ_r dy[r, c] x̂[r, c],  dbias[c] = Σ_r dy[r, c]
 *   dx[r, c] = weight[c] / sqrt(variance[c] + epsilon) · (dy[r, c] - share (dbias[c] + x̂[r, c] dweight[c]))
 *
 * X, dY and dX are [rows, channels], the others [channels]. The share is 1 / rows `ofBatch`: where mean and (biased)
 * variance are those of x, and so move with it. It is 0 where they are stored. Sums are float64. About 10 operations per element; X and dY are read twice.
 * Source: Ioffe and Szegedy 2015, section 3; PyTorch BatchNorm.
 */
export type BatchNormBackward = (
  rows: number,
  channels: number,
  epsilon: number,
  ofBatch: boolean,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  mean: Float32Array,
  meanOffset: number,
  variance: Float32Array,
  varianceOffset: number,
  weight: Float32Array,
  weightOffset: number,
  dy: Float32Array,
  dyOffset: number,
  dyRowStride: number,
  dx: Float32Array,
  dxOffset: number,
  dxRowStride: number,
  dweight: Float32Array,
  dweightOffset: number,
  dbias: Float32Array,
  dbiasOffset: number,
) => void;

export const batchNormBackwardReference: BatchNormBackward = (
  rows,
  channels,
  epsilon,
  ofBatch,
  x,
  xOffset,
  xRowStride,
  mean,
  meanOffset,
  variance,
  varianceOffset,
  weight,
  weightOffset,
  dy,
  dyOffset,
  dyRowStride,
  dx,
  dxOffset,
  dxRowStride,
  dweight,
  dweightOffset,
  dbias,
  dbiasOffset,
) => {
  for (let c = 0; c < channels; c++) {
    const centre = mean[meanOffset + c];
    const scale = 1 / Math.sqrt(variance[varianceOffset + c] + epsilon);
    let [sum, projected] = [0, 0];
    for (let r = 0; r < rows; r++) {
      const given = dy[dyOffset + r * dyRowStride + c];
      sum += given;
      projected += given * (x[xOffset + r * xRowStride + c] - centre) * scale;
    }
    const factor = weight[weightOffset + c] * scale;
    const share = ofBatch ? 1 / rows : 0;
    for (let r = 0; r < rows; r++) {
      const centred = x[xOffset + r * xRowStride + c] - centre;
      const given = dy[dyOffset + r * dyRowStride + c];
      dx[dxOffset + r * dxRowStride + c] = factor * (given - share * (sum + centred * scale * projected));
    }
    dweight[dweightOffset + c] = projected;
    dbias[dbiasOffset + c] = sum;
  }
};
