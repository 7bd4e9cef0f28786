/** Euclidean norm of all numbers together, added up in float64; NaN or infinite where one of them is. */
export function globalNorm(gradient: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < gradient.length; i++) sum += gradient[i]! * gradient[i]!;
  return Math.sqrt(sum);
}

/** What a gradient of this norm is to be multiplied with so that its norm is `most` or less. */
export const clippingFactor = (norm: number, most: number): number => (norm > most ? most / norm : 1);
