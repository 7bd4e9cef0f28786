import type { Conv2dActivation } from '../conv2d/reference.js';

/** Sizes of a two-dimensional depthwise convolution over one image, channels last. */
export interface DepthwiseConv2dGeometry {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  /** Rows and columns of zeros on each side; TensorFlow's SAME may put one more behind than before. */
  readonly padTop: number;
  readonly padBottom: number;
  readonly padLeft: number;
  readonly padRight: number;
}

export function depthwiseConv2dOutputSize(g: DepthwiseConv2dGeometry): {
  readonly height: number;
  readonly width: number;
} {
  return {
    height: Math.floor((g.height + g.padTop + g.padBottom - g.kernelHeight) / g.strideHeight) + 1,
    width: Math.floor((g.width + g.padLeft + g.padRight - g.kernelWidth) / g.strideWidth) + 1,
  };
}

/**
 * Y[y, x, c] = f(bias[c] + Σ_{r, s} X[y·strideHeight + r - padTop, x·strideWidth + s - padLeft, c] W[c, r, s])
 *
 * X [height, width, channels], W [channels, kernelHeight, kernelWidth] (PyTorch's [channels, 1, ...]), Y [height',
 * width', channels], all without gaps; X is zero outside. Each channel is filtered by itself. The filters are packed
 * once for a geometry, of which `pack` uses channels, kernel and stride, and then used for images of any size. f works
 * element by element.
 *
 * 2 · height' · width' · channels · kernelHeight · kernelWidth operations over 4 · channels · (height · width +
 * height' · width') bytes.
 */
export interface DepthwiseConv2dKernel {
  pack(
    geometry: DepthwiseConv2dGeometry,
    weight: Float32Array,
    weightOffset: number,
    lifetime: 'kept' | 'work',
  ): PackedDepthwiseFilters;
  convolve(
    geometry: DepthwiseConv2dGeometry,
    x: Float32Array,
    xOffset: number,
    filters: PackedDepthwiseFilters,
    bias: Float32Array | null,
    biasOffset: number,
    activation: Conv2dActivation,
    y: Float32Array,
    yOffset: number,
  ): void;
}

/** Filters of all channels as one variant wants them; no other can read them. */
export interface PackedDepthwiseFilters {
  readonly data: Float32Array;
  readonly offset: number;
}

/** Nothing is copied to pack. Sums are float64. */
export const depthwiseConv2dReference: DepthwiseConv2dKernel = {
  pack: (_, data, offset) => ({ data, offset }),
  convolve(geometry, x, xOffset, filters, bias, biasOffset, activation, y, yOffset) {
    const { height, width, channels, kernelHeight, kernelWidth } = geometry;
    const { strideHeight, strideWidth, padTop, padLeft } = geometry;
    const { data: weight, offset: weightOffset } = filters;
    const out = depthwiseConv2dOutputSize(geometry);
    for (let oy = 0; oy < out.height; oy++) {
      // The taps that see the image
      const top = oy * strideHeight - padTop;
      const firstRow = Math.max(0, -top);
      const endRow = Math.min(kernelHeight, height - top);
      for (let ox = 0; ox < out.width; ox++) {
        const left = ox * strideWidth - padLeft;
        const firstColumn = Math.max(0, -left);
        const endColumn = Math.min(kernelWidth, width - left);
        const pixel = yOffset + (oy * out.width + ox) * channels;
        for (let c = 0; c < channels; c++) {
          let sum = bias === null ? 0 : bias[biasOffset + c];
          for (let r = firstRow; r < endRow; r++) {
            const from = xOffset + (top + r) * width * channels + left * channels + c;
            const tap = weightOffset + (c * kernelHeight + r) * kernelWidth;
            for (let s = firstColumn; s < endColumn; s++) sum += x[from + s * channels] * weight[tap + s];
          }
          y[pixel + c] = activation === 'relu' ? Math.max(sum, 0) : sum;
        }
      }
    }
  },
};
