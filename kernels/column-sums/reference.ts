/**
 * sums[c] = Σ_r x[r, c], or sums[c] += Σ_r x[r, c] where it accumulates.
 *
 * X is [rows, columns], sums [columns]. The gradient of a bias: what is added to every row gets the sum of all rows'
 * gradients. Sums are float64. One operation and 4 bytes per element.
 */
export type ColumnSums = (
  rows: number,
  columns: number,
  accumulate: boolean,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  sums: Float32Array,
  sumsOffset: number,
) => void;

export const columnSumsReference: ColumnSums = (
  rows,
  columns,
  accumulate,
  x,
  xOffset,
  xRowStride,
  sums,
  sumsOffset,
) => {
  for (let c = 0; c < columns; c++) {
    let sum = accumulate ? sums[sumsOffset + c] : 0;
    for (let r = 0; r < rows; r++) sum += x[xOffset + r * xRowStride + c];
    sums[sumsOffset + c] = sum;
  }
};
