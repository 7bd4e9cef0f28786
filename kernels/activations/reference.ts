/**
 * y[i] = f(x[i]) for n numbers in a row; y may be x. 8 bytes per element, so these are bound by memory
 * where the exponential is not.
 */
export type Activation = (
  n: number,
  x: Float32Array,
  xOffset: number,
  y: Float32Array,
  yOffset: number,
) => void;

/** Swish (SiLU): f(x) = x / (1 + exp(-x)). Source: Ramachandran et al. 2017. One exponential each. */
export const swishReference: Activation = (n, x, xOffset, y, yOffset) => {
  for (let i = 0; i < n; i++) {
    const v = x[xOffset + i];
    y[yOffset + i] = v / (1 + Math.exp(-v));
  }
};

/** Rectifier: f(x) = max(x, 0); NaN stays NaN. */
export const reluReference: Activation = (n, x, xOffset, y, yOffset) => {
  for (let i = 0; i < n; i++) {
    y[yOffset + i] = Math.max(x[xOffset + i], 0);
  }
};

/** Leaky rectifier: f(x) = x for x >= 0, slope · x below. Source: Maas et al. 2013. */
export type LeakyRelu = (
  n: number,
  slope: number,
  x: Float32Array,
  xOffset: number,
  y: Float32Array,
  yOffset: number,
) => void;

export const leakyReluReference: LeakyRelu = (n, slope, x, xOffset, y, yOffset) => {
  for (let i = 0; i < n; i++) {
    const v = x[xOffset + i];
    y[yOffset + i] = v < 0 ? v * slope : v;
  }
};

/**
 * Gated linear unit: y[r, c] = x[r, c] / (1 + exp(-x[r, columns + c])).
 *
 * X is [rows, 2 · columns], value half first; Y is [rows, columns]. One exponential and 12 bytes per output.
 * Source: Dauphin et al. 2017; PyTorch GLU over the last axis.
 */
export type Glu = (
  rows: number,
  columns: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
) => void;

export const gluReference: Glu = (rows, columns, x, xOffset, xRowStride, y, yOffset, yRowStride) => {
  for (let r = 0; r < rows; r++) {
    const from = xOffset + r * xRowStride;
    const gate = from + columns;
    const to = yOffset + r * yRowStride;
    for (let c = 0; c < columns; c++) y[to + c] = x[from + c] / (1 + Math.exp(-x[gate + c]));
  }
};

/**
 * y[i] = x[i] + scale · z[i] for n numbers in a row: the residual connection (scale 1, or 1/2 around a
 * conformer's feed-forward modules). y may be x or z. 2 operations and 12 bytes per element.
 */
export type ScaledAdd = (
  n: number,
  x: Float32Array,
  xOffset: number,
  scale: number,
  z: Float32Array,
  zOffset: number,
  y: Float32Array,
  yOffset: number,
) => void;

export const scaledAddReference: ScaledAdd = (n, x, xOffset, scale, z, zOffset, y, yOffset) => {
  for (let i = 0; i < n; i++) y[yOffset + i] = x[xOffset + i] + scale * z[zOffset + i];
};
