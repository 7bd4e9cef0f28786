/**
 * y[r, c] = (x[r, c] - mean_r) / sqrt(variance_r + epsilon) · weight[c] + bias[c]
 *
 * X and Y are [rows, columns]; y may be x. The variance is the biased one, from the centred values, so a
 * large mean does not cost digits. Sums are float64. About 8 operations and 8 bytes per element.
 * Source: Ba et al. 2016; PyTorch LayerNorm.
 */
export type LayerNorm = (
  rows: number,
  columns: number,
  epsilon: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  weight: Float32Array,
  weightOffset: number,
  bias: Float32Array,
  biasOffset: number,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
) => void;

export const layerNormReference: LayerNorm = (
  rows,
  columns,
  epsilon,
  x,
  xOffset,
  xRowStride,
  weight,
  weightOffset,
  bias,
  biasOffset,
  y,
  yOffset,
  yRowStride,
) => {
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * xRowStride;
    const to = yOffset + r * yRowStride;
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += x[from + c];
    const mean = sum / columns;
    let squares = 0;
    for (let c = 0; c < columns; c++) {
      const centred = x[from + c] - mean;
      squares += centred * centred;
    }
    const scale = 1 / Math.sqrt(squares / columns + epsilon);
    for (let c = 0; c < columns; c++) {
      y[to + c] = (x[from + c] - mean) * scale * weight[weightOffset + c] + bias[biasOffset + c];
    }
  }
};
