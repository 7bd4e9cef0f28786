/**
 * Exponential moving average of weights (Polyak averaging with a window): what is validated and kept in the end.
 *
 *   average = decay · average + (1 − decay) · weights
 *
 * How much of the average stays at a step, counted from 1: min(decay, (1 + step) / (10 + step)). It follows quickly at first,
 * so that the random weights of the beginning are soon forgotten.
 */
export const averagingDecay = (decay: number, step: number): number =>
  Math.min(decay, (1 + step) / (10 + step));
