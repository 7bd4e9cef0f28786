/**
 * Gradients of layer normalisation, y = x̂ · weight + bias with x̂ = (x - mean_r) / sqrt(variance_r + epsilon):
 *
 *   dx[r, c] = (g[r, c] - Σ_i g[r, i] / n - x̂[r, c] Σ_i g[r, i] x̂[r, i] / n) / sqrt(variance_r + epsilon)
 *   g = dy · weight,  dweight[c] = Σ_r dy[r, c] x̂[r, c],  dbias[c] = Σ_r dy[r, c]
 *
 * X, dY and dX are [rows, n], the others [n]. Mean and variance are computed anew from x; sums are float64. About 20
 * operations and 12 bytes per element. Source: Ba et al. 2016; PyTorch native_layer_norm_backward.
 */
export type LayerNormBackward = (
  rows: number,
  columns: number,
  epsilon: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
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

/** A row at a time, with float64 sums of the columns beside it: the one reference that needs memory of its own. */
export const layerNormBackwardReference: LayerNormBackward = (
  rows,
  columns,
  epsilon,
  x,
  xOffset,
  xRowStride,
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
  const weightSums = new Float64Array(columns);
  const biasSums = new Float64Array(columns);
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * xRowStride;
    const given = dyOffset + r * dyRowStride;
    const to = dxOffset + r * dxRowStride;
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += x[from + c];
    const mean = sum / columns;
    let squares = 0;
    for (let c = 0; c < columns; c++) squares += (x[from + c] - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / columns + epsilon);
    let total = 0;
    let projected = 0;
    for (let c = 0; c < columns; c++) {
      const normal = (x[from + c] - mean) * scale;
      const g = dy[given + c] * weight[weightOffset + c];
      total += g;
      projected += g * normal;
      weightSums[c] += dy[given + c] * normal;
      biasSums[c] += dy[given + c];
    }
    for (let c = 0; c < columns; c++) {
      const normal = (x[from + c] - mean) * scale;
      const g = dy[given + c] * weight[weightOffset + c];
      dx[to + c] = scale * (g - total / columns - (normal * projected) / columns);
    }
  }
  dweight.set(weightSums, dweightOffset);
  dbias.set(biasSums, dbiasOffset);
};
