import { type Pool2dGeometry, pool2dOutputSize } from '../../average-pool2d/reference.js';
import { largestIn } from '../reference.js';

/**
 * The gradient of a max pooling: what a window got goes to the first of its largest numbers,
 *
 *   dX[i, j, c] = Σ dY[y, x, c] over the windows (y, x) whose first largest number is X[i, j, c]
 *
 * X and dX [height, width, channels], dY [height', width', channels], all without gaps. Source: the derivative of the
 * definition in ../reference.ts, with PyTorch's choice among equals.
 */
export type MaxPool2dBackward = (
  geometry: Pool2dGeometry,
  x: Float32Array,
  xOffset: number,
  dy: Float32Array,
  dyOffset: number,
  dx: Float32Array,
  dxOffset: number,
) => void;

/** A window at a time for each channel; sums are float64. */
export const maxPool2dBackwardReference: MaxPool2dBackward = (g, x, xOffset, dy, dyOffset, dx, dxOffset) => {
  const out = pool2dOutputSize(g);
  const sums = new Float64Array(g.height * g.width * g.channels);
  let from = dyOffset;
  for (let oy = 0; oy < out.height; oy++) {
    for (let ox = 0; ox < out.width; ox++) {
      const corner = (oy * g.strideHeight * g.width + ox * g.strideWidth) * g.channels;
      for (let c = 0; c < g.channels; c++) sums[largestIn(g, x, xOffset, corner + c)] += dy[from++];
    }
  }
  for (let i = 0; i < sums.length; i++) dx[dxOffset + i] = sums[i];
};
