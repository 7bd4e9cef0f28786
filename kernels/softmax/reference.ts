/**
 * Row softmax: y[r, c] = exp(x[r, c] - max_r) / Σ_c exp(x[r, c] - max_r), or its logarithm.
 *
 * X and Y are [rows, columns]; y may be x. Subtracting the row's maximum changes nothing but keeps the
 * exponentials from overflowing. Sums are float64. About 4 operations and one exponential per element,
 * 8 bytes per element. A row that holds NaN or +Infinity becomes NaN, as in PyTorch.
 */
export type Softmax = (
  rows: number,
  columns: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
) => void;

export const softmaxReference: Softmax = (rows, columns, x, xOffset, xRowStride, y, yOffset, yRowStride) => {
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * xRowStride;
    const to = yOffset + r * yRowStride;
    let largest = -Infinity;
    for (let c = 0; c < columns; c++) if (x[from + c] > largest) largest = x[from + c];
    let total = 0;
    for (let c = 0; c < columns; c++) {
      const e = Math.exp(x[from + c] - largest);
      y[to + c] = e;
      total += e;
    }
    const normaliser = 1 / total;
    for (let c = 0; c < columns; c++) y[to + c] *= normaliser;
  }
};

/** y[r, c] = x[r, c] - max_r - log Σ_c exp(x[r, c] - max_r); see {@link Softmax}. */
export const logSoftmaxReference: Softmax = (
  rows,
  columns,
  x,
  xOffset,
  xRowStride,
  y,
  yOffset,
  yRowStride,
) => {
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * xRowStride;
    const to = yOffset + r * yRowStride;
    let largest = -Infinity;
    for (let c = 0; c < columns; c++) if (x[from + c] > largest) largest = x[from + c];
    let total = 0;
    for (let c = 0; c < columns; c++) total += Math.exp(x[from + c] - largest);
    const shift = largest + Math.log(total);
    for (let c = 0; c < columns; c++) y[to + c] = x[from + c] - shift;
  }
};
