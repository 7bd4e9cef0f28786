/**
 * Exponential moving average of weights (Polyak averaging with a window): what is validated and kept in the end. It follows
 * quickly at first, so that the random weights of the beginning are soon forgotten.
 */

/** How much of the average stays at a step, counted from 1: min(decay, (1 + step) / (10 + step)). */
export const averagingDecay = (decay: number, step: number): number =>
  Math.min(decay, (1 + step) / (10 + step));

/** average = decay · average + (1 − decay) · weights. */
export function moveAverage(average: Float32Array, weights: Float32Array, decay: number): void {
  for (let i = 0; i < average.length; i++) average[i]! += (1 - decay) * (weights[i]! - average[i]!);
}
