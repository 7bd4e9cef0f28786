import { type DepthwiseConv2dGeometry, depthwiseConv2dOutputSize } from '../reference.js';

/**
 * Both gradients of a depthwise convolution of one image:
 *
 *   dX[y, x, c] = Σ dY[v, u, c] W[c, y + padTop - v·strideHeight, x + padLeft - u·strideWidth]
 *   dW[c, r, s] = Σ_{v, u} dY[v, u, c] X[v·strideHeight + r - padTop, u·strideWidth + s - padLeft, c]
 *
 * where X is zero outside the image and W outside the filter. X and dX [height, width, channels], W and dW [channels,
 * kernelHeight, kernelWidth], dY [height', width', channels], all without gaps. 4 · height' · width' · channels ·
 * kernelHeight · kernelWidth operations over 4 · channels · (2 · height · width + height' · width') bytes. Source: the
 * derivative of the definition in ../reference.ts.
 */
export type DepthwiseConv2dBackward = (
  geometry: DepthwiseConv2dGeometry,
  x: Float32Array,
  xOffset: number,
  weight: Float32Array,
  weightOffset: number,
  dy: Float32Array,
  dyOffset: number,
  dx: Float32Array,
  dxOffset: number,
  dw: Float32Array,
  dwOffset: number,
) => void;

/** A tap at a time for dW, a pixel at a time for dX; sums are float64. */
export const depthwiseConv2dBackwardReference: DepthwiseConv2dBackward = (
  g,
  x,
  xOffset,
  weight,
  weightOffset,
  dy,
  dyOffset,
  dx,
  dxOffset,
  dw,
  dwOffset,
) => {
  const { height, width, channels, kernelHeight, kernelWidth } = g;
  const { strideHeight, strideWidth, padTop, padLeft } = g;
  const out = depthwiseConv2dOutputSize(g);
  for (let c = 0; c < channels; c++) {
    for (let r = 0; r < kernelHeight; r++) {
      for (let s = 0; s < kernelWidth; s++) {
        let sum = 0;
        for (let v = 0; v < out.height; v++) {
          const row = v * strideHeight + r - padTop;
          if (row < 0 || row >= height) continue;
          for (let u = 0; u < out.width; u++) {
            const column = u * strideWidth + s - padLeft;
            if (column < 0 || column >= width) continue;
            sum +=
              dy[dyOffset + (v * out.width + u) * channels + c] *
              x[xOffset + (row * width + column) * channels + c];
          }
        }
        dw[dwOffset + (c * kernelHeight + r) * kernelWidth + s] = sum;
      }
    }
  }
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let r = 0; r < kernelHeight; r++) {
          const v = (row + padTop - r) / strideHeight;
          if (!Number.isInteger(v) || v < 0 || v >= out.height) continue;
          for (let s = 0; s < kernelWidth; s++) {
            const u = (column + padLeft - s) / strideWidth;
            if (!Number.isInteger(u) || u < 0 || u >= out.width) continue;
            sum +=
              dy[dyOffset + (v * out.width + u) * channels + c] *
              weight[weightOffset + (c * kernelHeight + r) * kernelWidth + s];
          }
        }
        dx[dxOffset + (row * width + column) * channels + c] = sum;
      }
    }
  }
};
