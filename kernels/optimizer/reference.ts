/** Numbers of a step of AdamW that are the same for all parameters. */
export interface AdamWStep {
  /** Learning rate. */
  readonly rate: number;
  /** β₁, β₂: what stays of the means. */
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Part of a parameter that goes, times the learning rate. */
  readonly decay: number;
  /** 1 / (1 - β₁ᵗ) and 1 / (1 - β₂ᵗ) at step t, counted from 1. */
  readonly unbias1: number;
  readonly unbias2: number;
  /** What gradients are multiplied with first: clipping, and a mean in place of a sum. */
  readonly gradientFactor: number;
}

/**
 * A step of AdamW, in place, for n parameters w with means m of gradients and v of their squares:
 *
 *   g' = g · gradientFactor
 *   m += (1 - β₁) (g' - m),  v += (1 - β₂) (g'² - v)
 *   w = w (1 - rate · decay) - rate · unbias1 · m / (√(unbias2 · v) + epsilon)
 *
 * About 15 operations and 28 bytes per parameter. Source: Kingma and Ba 2015; Loshchilov and Hutter 2019, algorithm 2;
 * PyTorch AdamW.
 */
export type AdamW = (
  n: number,
  step: AdamWStep,
  w: Float32Array,
  wOffset: number,
  m: Float32Array,
  mOffset: number,
  v: Float32Array,
  vOffset: number,
  g: Float32Array,
  gOffset: number,
) => void;

export const adamwReference: AdamW = (n, step, w, wOffset, m, mOffset, v, vOffset, g, gOffset) => {
  const { rate, beta1, beta2, epsilon, decay, unbias1, unbias2, gradientFactor } = step;
  for (let i = 0; i < n; i++) {
    const gradient = g[gOffset + i] * gradientFactor;
    const mean = m[mOffset + i] + (1 - beta1) * (gradient - m[mOffset + i]);
    const square = v[vOffset + i] + (1 - beta2) * (gradient * gradient - v[vOffset + i]);
    m[mOffset + i] = mean;
    v[vOffset + i] = square;
    const kept = w[wOffset + i] * (1 - rate * decay);
    w[wOffset + i] = kept - (rate * unbias1 * mean) / (Math.sqrt(unbias2 * square) + epsilon);
  }
};

/**
 * y[i] += share (x[i] - y[i]), in place, for n numbers: an exponential moving average of x. 3 operations and 12 bytes per
 * number. Source: Polyak and Juditsky 1992.
 */
export type MovingAverage = (
  n: number,
  share: number,
  x: Float32Array,
  xOffset: number,
  y: Float32Array,
  yOffset: number,
) => void;

export const movingAverageReference: MovingAverage = (n, share, x, xOffset, y, yOffset) => {
  for (let i = 0; i < n; i++) y[yOffset + i] += share * (x[xOffset + i] - y[yOffset + i]);
};
