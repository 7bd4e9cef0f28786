import { type Pool2dGeometry, pool2dOutputSize } from '../average-pool2d/reference.js';

/**
 * Y[y, x, c] = max over r, s of X[y · strideHeight + r, x · strideWidth + s, c]; NaN where one of them is
 *
 * X [height, width, channels], Y [height', width', channels], both without gaps; no padding. One comparison for each
 * element of X where windows do not overlap, and 4 bytes for each of X and Y. Source: PyTorch max_pool2d without padding.
 */
export type MaxPool2d = (
  geometry: Pool2dGeometry,
  x: Float32Array,
  xOffset: number,
  y: Float32Array,
  yOffset: number,
) => void;

/** Whether `value` takes the place of `largest`: it is larger, or the first NaN. */
const exceeds = (value: number, largest: number): boolean =>
  value > largest || (Number.isNaN(value) && !Number.isNaN(largest));

/** A window at a time for each channel. */
export const maxPool2dReference: MaxPool2d = (g, x, xOffset, y, yOffset) => {
  const out = pool2dOutputSize(g);
  let to = yOffset;
  for (let oy = 0; oy < out.height; oy++) {
    for (let ox = 0; ox < out.width; ox++) {
      const corner = (oy * g.strideHeight * g.width + ox * g.strideWidth) * g.channels;
      for (let c = 0; c < g.channels; c++) y[to++] = x[xOffset + largestIn(g, x, xOffset, corner + c)];
    }
  }
};

/** Index, from xOffset on, of the first largest number of a window whose first number is at `corner`. */
export function largestIn(g: Pool2dGeometry, x: Float32Array, xOffset: number, corner: number): number {
  let at = corner;
  for (let r = 0; r < g.windowHeight; r++) {
    for (let s = 0; s < g.windowWidth; s++) {
      const here = corner + (r * g.width + s) * g.channels;
      if (exceeds(x[xOffset + here], x[xOffset + at])) at = here;
    }
  }
  return at;
}
