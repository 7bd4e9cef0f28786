import { type ImagePoolingSizes, meanOfBands } from '../reference.js';

/**
 * The gradient of an image pooling, with t*[c] the first time step at which the mean over the bands is largest:
 *
 *   dX[t, f, c] = dy[c] (1 / steps + [t = t*[c]]) / bands
 *
 * X and dX [steps, bands, channels] without gaps, dy [channels]. Source: the derivative of the definition in ../reference.ts.
 */
export type ImagePoolingBackward = (
  sizes: ImagePoolingSizes,
  x: Float32Array,
  xOffset: number,
  dy: Float32Array,
  dyOffset: number,
  dx: Float32Array,
  dxOffset: number,
) => void;

/** A time step at a time, all channels; means are float64. */
export const imagePoolingBackwardReference: ImagePoolingBackward = (
  sizes,
  x,
  xOffset,
  dy,
  dyOffset,
  dx,
  dxOffset,
) => {
  const { steps, bands, channels } = sizes;
  const largest = new Float64Array(channels).fill(-Infinity);
  const step = new Int32Array(channels);
  const mean = new Float64Array(channels);
  for (let t = 0; t < steps; t++) {
    meanOfBands(sizes, x, xOffset, t, mean);
    for (let c = 0; c < channels; c++) {
      if (!(mean[c] > largest[c])) continue;
      largest[c] = mean[c];
      step[c] = t;
    }
  }
  let at = dxOffset;
  for (let t = 0; t < steps; t++) {
    for (let f = 0; f < bands; f++) {
      for (let c = 0; c < channels; c++) {
        dx[at++] = (dy[dyOffset + c] * (1 / steps + (t === step[c] ? 1 : 0))) / bands;
      }
    }
  }
};
