/**
 * mean[c] = Σ_r x[r, c] / rows,  variance[c] = Σ_r (x[r, c] - mean[c])² / rows
 *
 * X is [rows, columns]. The variance is the biased one, by which batch normalisation divides while it trains, and from
 * centred values, so a large mean does not cost digits. Sums are float64. 4 operations per element; X is read twice.
 * Source: Ioffe and Szegedy 2015.
 */
export type BatchStatistics = (
  rows: number,
  columns: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  mean: Float32Array,
  meanOffset: number,
  variance: Float32Array,
  varianceOffset: number,
) => void;

export const batchStatisticsReference: BatchStatistics = (
  rows,
  columns,
  x,
  xOffset,
  xRowStride,
  mean,
  meanOffset,
  variance,
  varianceOffset,
) => {
  for (let c = 0; c < columns; c++) {
    const from = xOffset + c;
    let sum = 0;
    for (let r = 0; r < rows; r++) sum += x[from + r * xRowStride];
    const centre = sum / rows;
    let squares = 0;
    for (let r = 0; r < rows; r++) squares += (x[from + r * xRowStride] - centre) ** 2;
    mean[meanOffset + c] = centre;
    variance[varianceOffset + c] = squares / rows;
  }
};
