/** Sizes of a two-dimensional convolution over one image, channels last. */
export interface Conv2dGeometry {
  readonly height: number;
  readonly width: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  /** Rows and columns added on each side. */
  readonly padHeight: number;
  readonly padWidth: number;
  /** What stands in the padding: zeros, or the image mirrored at its edge pixel. */
  readonly padMode: 'zero' | 'reflect';
}

export function conv2dOutputSize(g: Conv2dGeometry): { readonly height: number; readonly width: number } {
  return {
    height: Math.floor((g.height + 2 * g.padHeight - g.kernelHeight) / g.strideHeight) + 1,
    width: Math.floor((g.width + 2 * g.padWidth - g.kernelWidth) / g.strideWidth) + 1,
  };
}

/** Index of the pixel seen at position `i` of an axis of length `n` mirrored at both ends; n = 1 repeats. */
export function reflectIndex(i: number, n: number): number {
  if (n === 1) return 0;
  const period = 2 * (n - 1);
  const folded = Math.abs(i) % period;
  return folded < n ? folded : period - folded;
}

/**
 * Y[y, x, o] = f(bias[o] + Σ_{r, s, c} X[y·strideHeight + r - padHeight, x·strideWidth + s - padWidth, c] W[o, r, s, c])
 *
 * X [height, width, inChannels], W [outChannels, kernelHeight, kernelWidth, inChannels], Y [height', width',
 * outChannels], all without gaps. This is the cross-correlation that frameworks call convolution.
 *
 * The filters W are packed once for a geometry, of which `pack` uses all but height and width, and then used
 * for images of any size. f works element by element.
 *
 * 2 · height' · width' · outChannels · kernelHeight · kernelWidth · inChannels operations.
 */
export interface Conv2dKernel {
  pack(geometry: Conv2dGeometry, source: FilterSource, lifetime: 'kept' | 'work'): PackedFilters;
  convolve(
    geometry: Conv2dGeometry,
    x: Float32Array,
    xOffset: number,
    filters: PackedFilters,
    bias: Float32Array | null,
    biasOffset: number,
    activation: Conv2dActivation,
    y: Float32Array,
    yOffset: number,
  ): void;
}

/**
 * Filters to pack: W[o, r, s, c] is `gain[o]` times the element at offset + o · out + r · row + s · column + c · channel,
 * so that filters stored channels first, or followed by a batch normalisation, are packed without a copy in between.
 */
export interface FilterSource {
  readonly data: Float32Array;
  readonly offset: number;
  readonly out: number;
  readonly row: number;
  readonly column: number;
  readonly channel: number;
  /** One factor for each output channel; null for 1. */
  readonly gain: Float64Array | null;
}

/** Filters W [outChannels, kernelHeight, kernelWidth, inChannels] without gaps, as they are. */
export function denseFilters(g: Conv2dGeometry, data: Float32Array, offset: number): FilterSource {
  const row = g.kernelWidth * g.inChannels;
  return { data, offset, out: g.kernelHeight * row, row, column: g.inChannels, channel: 1, gain: null };
}

/** Filters as one variant wants them; no other can read them. */
export interface PackedFilters {
  readonly data: Float32Array;
  readonly offset: number;
}

/** What is done to each element of Y: nothing, or max(x, 0). */
export type Conv2dActivation = 'none' | 'relu';

/** Dense filters are not copied to pack. Sums are float64; four output channels share each load of X. */
export const conv2dReference: Conv2dKernel = { pack: packReference, convolve: convolveReference };

function packReference(g: Conv2dGeometry, source: FilterSource): PackedFilters {
  const { data, offset, out, row, column, channel, gain } = source;
  const { outChannels, kernelHeight, kernelWidth, inChannels } = g;
  const dense = denseFilters(g, data, offset);
  const isDense = out === dense.out && row === dense.row && column === dense.column && channel === 1;
  if (isDense && gain === null) return { data, offset };
  const packed = new Float32Array(outChannels * dense.out);
  let at = 0;
  for (let o = 0; o < outChannels; o++) {
    const factor = gain === null ? 1 : gain[o];
    for (let r = 0; r < kernelHeight; r++) {
      for (let s = 0; s < kernelWidth; s++) {
        let from = offset + o * out + r * row + s * column;
        for (let c = 0; c < inChannels; c++, from += channel) packed[at++] = data[from] * factor;
      }
    }
  }
  return { data: packed, offset: 0 };
}

function convolveReference(
  geometry: Conv2dGeometry,
  x: Float32Array,
  xOffset: number,
  { data: weight, offset: weightOffset }: PackedFilters,
  bias: Float32Array | null,
  biasOffset: number,
  activation: Conv2dActivation,
  y: Float32Array,
  yOffset: number,
): void {
  const { height, width, inChannels, outChannels, kernelHeight, kernelWidth } = geometry;
  const { strideHeight, strideWidth, padHeight, padWidth } = geometry;
  const reflect = geometry.padMode === 'reflect';
  const out = conv2dOutputSize(geometry);
  const filter = kernelHeight * kernelWidth * inChannels;

  for (let oy = 0; oy < out.height; oy++) {
    for (let ox = 0; ox < out.width; ox++) {
      const pixel = yOffset + (oy * out.width + ox) * outChannels;
      for (let o = 0; o < outChannels; o += 4) {
        // In a last group of fewer than four channels the spare sums repeat its last channel.
        const last = outChannels - 1;
        const o1 = Math.min(o + 1, last);
        const o2 = Math.min(o + 2, last);
        const o3 = Math.min(o + 3, last);
        const w0 = weightOffset + o * filter;
        const w1 = weightOffset + o1 * filter;
        const w2 = weightOffset + o2 * filter;
        const w3 = weightOffset + o3 * filter;
        let s0 = 0;
        let s1 = 0;
        let s2 = 0;
        let s3 = 0;
        if (bias !== null) {
          s0 = bias[biasOffset + o];
          s1 = bias[biasOffset + o1];
          s2 = bias[biasOffset + o2];
          s3 = bias[biasOffset + o3];
        }
        for (let r = 0; r < kernelHeight; r++) {
          let iy = oy * strideHeight + r - padHeight;
          if (iy < 0 || iy >= height) {
            if (!reflect) continue;
            iy = reflectIndex(iy, height);
          }
          for (let s = 0; s < kernelWidth; s++) {
            let ix = ox * strideWidth + s - padWidth;
            if (ix < 0 || ix >= width) {
              if (!reflect) continue;
              ix = reflectIndex(ix, width);
            }
            const from = xOffset + (iy * width + ix) * inChannels;
            const tap = (r * kernelWidth + s) * inChannels;
            for (let c = 0; c < inChannels; c++) {
              const value = x[from + c];
              const t = tap + c;
              s0 += value * weight[w0 + t];
              s1 += value * weight[w1 + t];
              s2 += value * weight[w2 + t];
              s3 += value * weight[w3 + t];
            }
          }
        }
        if (activation === 'relu') {
          s0 = Math.max(s0, 0);
          s1 = Math.max(s1, 0);
          s2 = Math.max(s2, 0);
          s3 = Math.max(s3, 0);
        }
        y[pixel + o] = s0;
        y[pixel + o1] = s1;
        y[pixel + o2] = s2;
        y[pixel + o3] = s3;
      }
    }
  }
}
