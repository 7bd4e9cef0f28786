/**
 * AdamW (Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2) on numbers that lie one after
 * another:
 *
 *   m = β₁ m + (1 − β₁) g          v = β₂ v + (1 − β₂) g²
 *   w = w − rate · ((m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) + decay · w)
 */
import { type AdamWState, adamw } from '../../ops/optimizer.js';

export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Part of a weight that goes at each step, times the learning rate. */
  readonly decay: number;
}

export const ADAMW: AdamWSettings = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.01 };

/** What differs from step to step. */
export interface AdamWMove {
  /** From 1. */
  readonly step: number;
  readonly rate: number;
  /** What the gradient is multiplied with first: clipping, and a mean in place of a sum. */
  readonly gradientFactor: number;
  /** Decay applies to the first so many numbers; biases and norms come after them. */
  readonly decayed: number;
}

/** Moves the parameters and their means by one step, in place. */
export function adamwStep(
  numbers: AdamWState,
  { beta1, beta2, epsilon, decay }: AdamWSettings,
  { step, rate, gradientFactor, decayed }: AdamWMove,
): void {
  const [unbias1, unbias2] = [1 / (1 - beta1 ** step), 1 / (1 - beta2 ** step)];
  const common = { rate, beta1, beta2, epsilon, unbias1, unbias2, gradientFactor };
  adamw(numbers, { ...common, decay }, 0, decayed);
  adamw(numbers, { ...common, decay: 0 }, decayed);
}
