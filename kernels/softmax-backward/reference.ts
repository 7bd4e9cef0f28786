/**
 * Gradients of the row softmax and its logarithm from what they gave:
 *
 *   y = softmax(x):      dx[r, c] = y[r, c] (dy[r, c] - Σ_i y[r, i] dy[r, i])
 *   y = log softmax(x):  dx[r, c] = dy[r, c] - exp(y[r, c]) Σ_i dy[r, i]
 *
 * Y, dY and dX are [rows, columns]; dx may be dy. Sums are float64. 4 operations and 12 bytes per element, and one
 * exponential where y is a logarithm. Source: PyTorch softmax and log_softmax over the last axis, their gradients.
 */
export type SoftmaxBackward = (
  rows: number,
  columns: number,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
  dy: Float32Array,
  dyOffset: number,
  dyRowStride: number,
  dx: Float32Array,
  dxOffset: number,
  dxRowStride: number,
) => void;

export const softmaxBackwardReference: SoftmaxBackward = (
  rows,
  columns,
  y,
  yOffset,
  yRowStride,
  dy,
  dyOffset,
  dyRowStride,
  dx,
  dxOffset,
  dxRowStride,
) => {
  for (let r = 0; r < rows; r++) {
    const from = yOffset + r * yRowStride;
    const given = dyOffset + r * dyRowStride;
    const to = dxOffset + r * dxRowStride;
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += y[from + c] * dy[given + c];
    for (let c = 0; c < columns; c++) dx[to + c] = y[from + c] * (dy[given + c] - sum);
  }
};

/** See {@link SoftmaxBackward}. */
export const logSoftmaxBackwardReference: SoftmaxBackward = (
  rows,
  columns,
  y,
  yOffset,
  yRowStride,
  dy,
  dyOffset,
  dyRowStride,
  dx,
  dxOffset,
  dxRowStride,
) => {
  for (let r = 0; r < rows; r++) {
    const from = yOffset + r * yRowStride;
    const given = dyOffset + r * dyRowStride;
    const to = dxOffset + r * dxRowStride;
    let sum = 0;
    for (let c = 0; c < columns; c++) sum += dy[given + c];
    for (let c = 0; c < columns; c++) dx[to + c] = dy[given + c] - Math.exp(y[from + c]) * sum;
  }
};
