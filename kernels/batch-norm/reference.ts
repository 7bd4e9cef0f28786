/**
 * Batch normalisation with stored statistics (inference), channels last:
 *
 *   y[r, c] = (x[r, c] - mean[c]) / sqrt(variance[c] + epsilon) · weight[c] + bias[c]
 *
 * X and Y are [rows, channels]; y may be x. Each channel's scale and shift are made once in float64; then
 * 2 operations and 8 bytes per element. Source: Ioffe and Szegedy 2015; PyTorch BatchNorm in eval mode.
 */
export type BatchNorm = (
  rows: number,
  channels: number,
  epsilon: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  mean: Float32Array,
  meanOffset: number,
  variance: Float32Array,
  varianceOffset: number,
  weight: Float32Array,
  weightOffset: number,
  bias: Float32Array,
  biasOffset: number,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
) => void;

export const batchNormReference: BatchNorm = (
  rows,
  channels,
  epsilon,
  x,
  xOffset,
  xRowStride,
  mean,
  meanOffset,
  variance,
  varianceOffset,
  weight,
  weightOffset,
  bias,
  biasOffset,
  y,
  yOffset,
  yRowStride,
) => {
  for (let c = 0; c < channels; c++) {
    const scale = weight[weightOffset + c] / Math.sqrt(variance[varianceOffset + c] + epsilon);
    const shift = bias[biasOffset + c] - mean[meanOffset + c] * scale;
    let from = xOffset + c;
    let to = yOffset + c;
    for (let r = 0; r < rows; r++) {
      y[to] = x[from] * scale + shift;
      from += xRowStride;
      to += yRowStride;
    }
  }
};
