import { squaredNorm } from '../../ops/optimizer.js';

/** Euclidean norm of all numbers together, added up in float64; NaN or infinite where one of them is. */
export const globalNorm = (gradient: Float32Array): number => Math.sqrt(squaredNorm(gradient));

/** What a gradient of this norm is to be multiplied with so that its norm is `most` or less. */
export const clippingFactor = (norm: number, most: number): number => (norm > most ? most / norm : 1);
