/**
 * dx[i] = f'(x[i]) · dy[i] for n numbers in a row: gradients of the activations in ../activations from what they were given
 * and the gradient of what they gave. dx may be dy. 12 bytes per element.
 */
export type ActivationBackward = (
  n: number,
  x: Float32Array,
  xOffset: number,
  dy: Float32Array,
  dyOffset: number,
  dx: Float32Array,
  dxOffset: number,
) => void;

/** Swish: with s = 1 / (1 + exp(-x)), f'(x) = s (1 + x (1 - s)). One exponential each. */
export const swishBackwardReference: ActivationBackward = (n, x, xOffset, dy, dyOffset, dx, dxOffset) => {
  for (let i = 0; i < n; i++) {
    const v = x[xOffset + i];
    const s = 1 / (1 + Math.exp(-v));
    dx[dxOffset + i] = dy[dyOffset + i] * s * (1 + v * (1 - s));
  }
};

/** Rectifier: dy where x > 0 or NaN, 0 elsewhere, at 0 too as in PyTorch. */
export const reluBackwardReference: ActivationBackward = (n, x, xOffset, dy, dyOffset, dx, dxOffset) => {
  for (let i = 0; i < n; i++) dx[dxOffset + i] = x[xOffset + i] <= 0 ? 0 : dy[dyOffset + i];
};

/** Leaky rectifier: dy where x > 0 or NaN, slope · dy elsewhere, at 0 too. */
export type LeakyReluBackward = (
  n: number,
  slope: number,
  x: Float32Array,
  xOffset: number,
  dy: Float32Array,
  dyOffset: number,
  dx: Float32Array,
  dxOffset: number,
) => void;

export const leakyReluBackwardReference: LeakyReluBackward = (
  n,
  slope,
  x,
  xOffset,
  dy,
  dyOffset,
  dx,
  dxOffset,
) => {
  for (let i = 0; i < n; i++) {
    const d = dy[dyOffset + i];
    dx[dxOffset + i] = x[xOffset + i] <= 0 ? slope * d : d;
  }
};

/**
 * Gated linear unit, y[r, c] = x[r, c] s with s = 1 / (1 + exp(-x[r, columns + c])):
 *
 *   dx[r, c] = dy[r, c] s,  dx[r, columns + c] = dy[r, c] x[r, c] s (1 - s)
 *
 * X and dX are [rows, 2 · columns], dY is [rows, columns]. One exponential and 20 bytes per element of dY.
 */
export type GluBackward = (
  rows: number,
  columns: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  dy: Float32Array,
  dyOffset: number,
  dyRowStride: number,
  dx: Float32Array,
  dxOffset: number,
  dxRowStride: number,
) => void;

export const gluBackwardReference: GluBackward = (
  rows,
  columns,
  x,
  xOffset,
  xRowStride,
  dy,
  dyOffset,
  dyRowStride,
  dx,
  dxOffset,
  dxRowStride,
) => {
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * xRowStride;
    const given = dyOffset + r * dyRowStride;
    const to = dxOffset + r * dxRowStride;
    for (let c = 0; c < columns; c++) {
      const s = 1 / (1 + Math.exp(-x[from + columns + c]));
      const value = dy[given + c] * s;
      dx[to + c] = value;
      dx[to + columns + c] = value * x[from + c] * (1 - s);
    }
  }
};
