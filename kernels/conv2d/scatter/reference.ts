import { type Conv2dGeometry, conv2dOutputSize, reflectIndex } from '../reference.js';

/**
 * Windows put back where a convolution took them from, and added where they overlap (col2im):
 *
 *   X[i, j, c] = Σ V[y, x, r, s, c] over all (y, x, r, s) whose tap sees pixel (i, j)
 *
 * V [height', width', kernelHeight, kernelWidth, inChannels], X [height, width, inChannels], both without gaps; what falls
 * on a padding of zeros is dropped, what falls on a mirrored one goes to the pixel that is mirrored. With V = dY W this is
 * the gradient of a convolution by its image. One addition for each element of V, 4 bytes for each of V and X. Source: the
 * derivative of the definition in ../reference.ts.
 */
export type Conv2dScatter = (
  geometry: Conv2dGeometry,
  v: Float32Array,
  vOffset: number,
  x: Float32Array,
  xOffset: number,
) => void;

/** Where in an axis of `length` position i of the padded axis is; -1 in a padding of zeros. */
export const seenIndex = (i: number, length: number, padMode: Conv2dGeometry['padMode']): number =>
  i >= 0 && i < length ? i : padMode === 'reflect' ? reflectIndex(i, length) : -1;

/** A number at a time; sums are float64. */
export const conv2dScatterReference: Conv2dScatter = (g, v, vOffset, x, xOffset) => {
  const { height, width, inChannels, kernelHeight, kernelWidth, padMode } = g;
  const out = conv2dOutputSize(g);
  const sums = new Float64Array(height * width * inChannels);
  let from = vOffset;
  for (let oy = 0; oy < out.height; oy++) {
    for (let ox = 0; ox < out.width; ox++) {
      for (let r = 0; r < kernelHeight; r++) {
        const iy = seenIndex(oy * g.strideHeight + r - g.padHeight, height, padMode);
        for (let s = 0; s < kernelWidth; s++, from += inChannels) {
          const ix = seenIndex(ox * g.strideWidth + s - g.padWidth, width, padMode);
          if (iy < 0 || ix < 0) continue;
          const to = (iy * width + ix) * inChannels;
          for (let c = 0; c < inChannels; c++) sums[to + c] += v[from + c];
        }
      }
    }
  }
  for (let i = 0; i < sums.length; i++) x[xOffset + i] = sums[i];
};
