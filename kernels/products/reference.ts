/** y[i] = factor · x[i] for n numbers in a row; y may be x. One operation and 8 bytes per element. */
export type Scale = (
  n: number,
  factor: number,
  x: Float32Array,
  xOffset: number,
  y: Float32Array,
  yOffset: number,
) => void;

export const scaleReference: Scale = (n, factor, x, xOffset, y, yOffset) => {
  for (let i = 0; i < n; i++) y[yOffset + i] = factor * x[xOffset + i];
};

/** y[i] = x[i] z[i] for n numbers in a row; y may be x or z. One operation and 12 bytes per element. */
export type Multiply = (
  n: number,
  x: Float32Array,
  xOffset: number,
  z: Float32Array,
  zOffset: number,
  y: Float32Array,
  yOffset: number,
) => void;

export const multiplyReference: Multiply = (n, x, xOffset, z, zOffset, y, yOffset) => {
  for (let i = 0; i < n; i++) y[yOffset + i] = x[xOffset + i] * z[zOffset + i];
};
