/** Σ_i x[i] of n numbers in a row, in float64. One operation and 4 bytes per element. */
export type Reduction = (n: number, x: Float32Array, xOffset: number) => number;

export const sumReference: Reduction = (n, x, xOffset) => {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += x[xOffset + i];
  return sum;
};

/** Σ_i x[i]² of n numbers in a row, in float64: no gradient in float32 overflows it. */
export const sumOfSquaresReference: Reduction = (n, x, xOffset) => {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += x[xOffset + i] * x[xOffset + i];
  return sum;
};
