/** Sizes of an average pooling of one image, channels last. */
export interface Pool2dGeometry {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly windowHeight: number;
  readonly windowWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
}

/** Windows that lie wholly in the image: what is left over at the right and below is not pooled. */
export function pool2dOutputSize(g: Pool2dGeometry): { readonly height: number; readonly width: number } {
  return {
    height: Math.floor((g.height - g.windowHeight) / g.strideHeight) + 1,
    width: Math.floor((g.width - g.windowWidth) / g.strideWidth) + 1,
  };
}

/**
 * Y[y, x, c] = Σ_{r, s} X[y · strideHeight + r, x · strideWidth + s, c] / (windowHeight · windowWidth)
 *
 * X [height, width, channels], Y [height', width', channels], both without gaps; no padding. About as many
 * operations as X has elements where windows do not overlap, and 4 bytes for each element of X and Y. Source:
 * PyTorch avg_pool2d without padding.
 */
export type AveragePool2d = (
  geometry: Pool2dGeometry,
  x: Float32Array,
  xOffset: number,
  y: Float32Array,
  yOffset: number,
) => void;

/** A window at a time for each channel; sums are float64. */
export const averagePool2dReference: AveragePool2d = (g, x, xOffset, y, yOffset) => {
  const { width, channels, windowHeight, windowWidth, strideHeight, strideWidth } = g;
  const out = pool2dOutputSize(g);
  const count = windowHeight * windowWidth;
  let to = yOffset;
  for (let oy = 0; oy < out.height; oy++) {
    for (let ox = 0; ox < out.width; ox++) {
      const corner = xOffset + (oy * strideHeight * width + ox * strideWidth) * channels;
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        for (let r = 0; r < windowHeight; r++) {
          let from = corner + r * width * channels + c;
          for (let s = 0; s < windowWidth; s++) {
            sum += x[from];
            from += channels;
          }
        }
        y[to++] = sum / count;
      }
    }
  }
};
