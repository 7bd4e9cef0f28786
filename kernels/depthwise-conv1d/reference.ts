/**
 * Y[t, c] = bias[c] + Σ_i X[t + i - (taps - 1) / 2, c] W[c, i], zero outside X; taps is odd.
 *
 * X and Y are [frames, channels], W is [channels, taps] (PyTorch's [channels, 1, taps]). Each channel is
 * filtered by itself. The taps are packed once. 2 · frames · channels · taps operations over 8 · frames ·
 * channels bytes.
 */
export interface DepthwiseConv1dKernel {
  pack(
    channels: number,
    taps: number,
    weight: Float32Array,
    weightOffset: number,
    weightRowStride: number,
    lifetime: 'kept' | 'work',
  ): PackedTaps;
  convolve(
    frames: number,
    x: Float32Array,
    xOffset: number,
    xRowStride: number,
    filters: PackedTaps,
    bias: Float32Array | null,
    biasOffset: number,
    y: Float32Array,
    yOffset: number,
    yRowStride: number,
  ): void;
}

/** Taps of all channels as one variant wants them; no other can read them. */
export interface PackedTaps {
  readonly channels: number;
  readonly taps: number;
  readonly data: Float32Array;
  readonly offset: number;
  readonly rowStride: number;
}

/**
 * Nothing is copied to pack. Sums are float64. A tap is one multiply-add per load, so the loop keeps four frames
 * of one channel in registers.
 */
export const depthwiseConv1dReference: DepthwiseConv1dKernel = {
  pack: (channels, taps, data, offset, rowStride) => ({ channels, taps, data, offset, rowStride }),
  convolve: convolveReference,
};

function convolveReference(
  frames: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  filters: PackedTaps,
  bias: Float32Array | null,
  biasOffset: number,
  y: Float32Array,
  yOffset: number,
  yRowStride: number,
): void {
  const { channels, taps, data: weight, offset: weightOffset, rowStride: weightRowStride } = filters;
  const half = (taps - 1) >> 1;
  for (let c = 0; c < channels; c++) {
    const w = weightOffset + c * weightRowStride;
    const start = bias === null ? 0 : bias[biasOffset + c];
    let t = 0;
    for (; t + 4 <= frames; t += 4) {
      let s0 = start;
      let s1 = start;
      let s2 = start;
      let s3 = start;
      if (t >= half && t + 3 + half < frames) {
        // All taps of the four frames lie inside X: v0..v3 is a window that slides along time.
        let from = xOffset + (t - half) * xRowStride + c;
        let v0 = x[from];
        let v1 = x[from + xRowStride];
        let v2 = x[from + 2 * xRowStride];
        from += 3 * xRowStride;
        for (let i = 0; i < taps; i++) {
          const v3 = x[from];
          const tap = weight[w + i];
          s0 += v0 * tap;
          s1 += v1 * tap;
          s2 += v2 * tap;
          s3 += v3 * tap;
          v0 = v1;
          v1 = v2;
          v2 = v3;
          from += xRowStride;
        }
      } else {
        for (let i = 0; i < taps; i++) {
          const at = t + i - half;
          const from = xOffset + at * xRowStride + c;
          const tap = weight[w + i];
          if (at >= 0 && at < frames) s0 += x[from] * tap;
          if (at + 1 >= 0 && at + 1 < frames) s1 += x[from + xRowStride] * tap;
          if (at + 2 >= 0 && at + 2 < frames) s2 += x[from + 2 * xRowStride] * tap;
          if (at + 3 >= 0 && at + 3 < frames) s3 += x[from + 3 * xRowStride] * tap;
        }
      }
      const to = yOffset + t * yRowStride + c;
      y[to] = s0;
      y[to + yRowStride] = s1;
      y[to + 2 * yRowStride] = s2;
      y[to + 3 * yRowStride] = s3;
    }
    for (; t < frames; t++) {
      let sum = start;
      const first = Math.max(0, half - t);
      const end = Math.min(taps, frames - t + half);
      for (let i = first; i < end; i++) {
        sum += x[xOffset + (t + i - half) * xRowStride + c] * weight[w + i];
      }
      y[yOffset + t * yRowStride + c] = sum;
    }
  }
}
