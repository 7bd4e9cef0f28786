import { type Pool2dGeometry, pool2dOutputSize } from '../reference.js';

/**
 * The gradient of an average pooling: each pixel of a window gets its share of what the window got,
 *
 *   dX[i, j, c] = Σ dY[y, x, c] / (windowHeight · windowWidth) over the windows (y, x) that pixel (i, j) is in
 *
 * dY [height', width', channels], dX [height, width, channels], both without gaps; pixels in no window get 0. 4 bytes for
 * each element of both. Source: the derivative of the definition in ../reference.ts.
 */
export type AveragePool2dBackward = (
  geometry: Pool2dGeometry,
  dy: Float32Array,
  dyOffset: number,
  dx: Float32Array,
  dxOffset: number,
) => void;

/** Adds window by window; sums are float64. */
export const averagePool2dBackwardReference: AveragePool2dBackward = (g, dy, dyOffset, dx, dxOffset) => {
  const { height, width, channels, windowHeight, windowWidth, strideHeight, strideWidth } = g;
  const out = pool2dOutputSize(g);
  const count = windowHeight * windowWidth;
  const sums = new Float64Array(height * width * channels);
  let from = dyOffset;
  for (let oy = 0; oy < out.height; oy++) {
    for (let ox = 0; ox < out.width; ox++, from += channels) {
      const corner = (oy * strideHeight * width + ox * strideWidth) * channels;
      for (let r = 0; r < windowHeight; r++) {
        for (let s = 0; s < windowWidth; s++) {
          const to = corner + (r * width + s) * channels;
          for (let c = 0; c < channels; c++) sums[to + c] += dy[from + c] / count;
        }
      }
    }
  }
  for (let i = 0; i < sums.length; i++) dx[dxOffset + i] = sums[i];
};
