/**
 * AdamW (Loshchilov and Hutter 2019, "Decoupled weight decay regularization", algorithm 2) on numbers that lie one after
 * another:
 *
 *   m = β₁ m + (1 − β₁) g          v = β₂ v + (1 − β₂) g²
 *   w = w − rate · ((m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε) + decay · w)
 */
export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Part of a weight that goes at each step, times the learning rate. */
  readonly decay: number;
}

export const ADAMW: AdamWSettings = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.01 };

/** What AdamW works on; all of one length. */
export interface AdamWNumbers {
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  /** Mean of gradients, m. */
  readonly first: Float32Array;
  /** Mean of their squares, v. */
  readonly second: Float32Array;
}

/**
 * Moves the weights by one step; `step` counts from 1. Decay applies to the first `decayed` numbers, where the others, biases
 * and norms, come after them.
 */
export function adamwStep(
  { weights, gradient, first, second }: AdamWNumbers,
  { beta1, beta2, epsilon, decay }: AdamWSettings,
  { step, rate, decayed }: { readonly step: number; readonly rate: number; readonly decayed: number },
): void {
  const [unbias1, unbias2] = [1 / (1 - beta1 ** step), 1 / (1 - beta2 ** step)];
  const move = (begin: number, end: number, keep: number): void => {
    for (let i = begin; i < end; i++) {
      const g = gradient[i]!;
      const m = beta1 * first[i]! + (1 - beta1) * g;
      const v = beta2 * second[i]! + (1 - beta2) * g * g;
      first[i] = m;
      second[i] = v;
      weights[i] = keep * weights[i]! - (rate * unbias1 * m) / (Math.sqrt(unbias2 * v) + epsilon);
    }
  };
  move(0, decayed, 1 - rate * decay);
  move(decayed, weights.length, 1);
}
