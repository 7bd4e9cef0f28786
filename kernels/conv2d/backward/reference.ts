import { type Conv2dGeometry, conv2dOutputSize, reflectIndex } from '../reference.js';

/**
 * The gradient of a two-dimensional convolution by its filters, summed over several images of one width:
 *
 *   dW[o, r, s, c] = Σ_{y, x} dY[y, x, o] X[y·strideHeight + r - padHeight, x·strideWidth + s - padWidth, c]
 *
 * `heights` are the images' rows, which stand for `geometry.height`. X holds one image [height, width, inChannels] after
 * another, dY their [height', width', outChannels], dW is [outChannels, kernelHeight, kernelWidth, inChannels], all without
 * gaps. As many operations as the convolution has. Source: the derivative of the definition in ../reference.ts.
 */
export type Conv2dBackward = (
  geometry: Conv2dGeometry,
  heights: readonly number[],
  x: Float32Array,
  xOffset: number,
  dy: Float32Array,
  dyOffset: number,
  dw: Float32Array,
  dwOffset: number,
) => void;

/** One tap at a time; sums are float64. */
export const conv2dBackwardReference: Conv2dBackward = (
  geometry,
  heights,
  x,
  xOffset,
  dy,
  dyOffset,
  dw,
  dwOffset,
) => {
  const { inChannels, outChannels, kernelHeight, kernelWidth } = geometry;
  const sums = new Float64Array(outChannels * inChannels);
  for (let r = 0; r < kernelHeight; r++) {
    for (let s = 0; s < kernelWidth; s++) {
      sums.fill(0);
      let from = xOffset;
      let at = dyOffset;
      for (const height of heights) {
        const g = { ...geometry, height };
        addTap(g, r, s, x, from, dy, at, sums);
        const out = conv2dOutputSize(g);
        from += height * g.width * inChannels;
        at += out.height * out.width * outChannels;
      }
      for (let o = 0; o < outChannels; o++) {
        const to = dwOffset + ((o * kernelHeight + r) * kernelWidth + s) * inChannels;
        for (let c = 0; c < inChannels; c++) dw[to + c] = sums[o * inChannels + c];
      }
    }
  }
};

/** sums[o, c] += Σ dY[y, x, o] X[pixel that tap (r, s) sees, c] over one image. */
function addTap(
  g: Conv2dGeometry,
  r: number,
  s: number,
  x: Float32Array,
  xOffset: number,
  dy: Float32Array,
  dyOffset: number,
  sums: Float64Array,
): void {
  const { height, width, inChannels, outChannels } = g;
  const out = conv2dOutputSize(g);
  const reflect = g.padMode === 'reflect';
  for (let oy = 0; oy < out.height; oy++) {
    let iy = oy * g.strideHeight + r - g.padHeight;
    if (iy < 0 || iy >= height) {
      if (!reflect) continue;
      iy = reflectIndex(iy, height);
    }
    for (let ox = 0; ox < out.width; ox++) {
      let ix = ox * g.strideWidth + s - g.padWidth;
      if (ix < 0 || ix >= width) {
        if (!reflect) continue;
        ix = reflectIndex(ix, width);
      }
      const from = xOffset + (iy * width + ix) * inChannels;
      const pixel = dyOffset + (oy * out.width + ox) * outChannels;
      for (let o = 0; o < outChannels; o++) {
        const factor = dy[pixel + o];
        for (let c = 0; c < inChannels; c++) sums[o * inChannels + c] += factor * x[from + c];
      }
    }
  }
}
