/**
 * The gradient of a depthwise convolution by its taps:
 *
 *   dW[c, i] = Σ_t dY[t, c] X[t + i - (taps - 1) / 2, c], zero outside X
 *
 * Of several recordings, one after another along time: X and dY are [Σ lengths, channels], and t runs over all of them
 * while X is zero outside the recording of t. dW is [channels, taps]. 2 · Σ lengths · channels · taps operations over
 * 8 · Σ lengths · channels bytes. Source: the derivative of the definition in ../reference.ts.
 *
 * The gradient by X needs no kernel of its own: it is the convolution of dY with the taps in reverse order.
 */
export type DepthwiseConv1dBackward = (
  lengths: readonly number[],
  channels: number,
  taps: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  dy: Float32Array,
  dyOffset: number,
  dyRowStride: number,
  dw: Float32Array,
  dwOffset: number,
  dwRowStride: number,
) => void;

/** A tap at a time; sums are float64. */
export const depthwiseConv1dBackwardReference: DepthwiseConv1dBackward = (
  lengths,
  channels,
  taps,
  x,
  xOffset,
  xRowStride,
  dy,
  dyOffset,
  dyRowStride,
  dw,
  dwOffset,
  dwRowStride,
) => {
  const half = (taps - 1) >> 1;
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < taps; i++) {
      let sum = 0;
      let start = 0;
      for (const frames of lengths) {
        const last = Math.min(frames, frames + half - i);
        for (let t = Math.max(0, half - i); t < last; t++) {
          const seen = start + t + i - half;
          sum += dy[dyOffset + (start + t) * dyRowStride + c] * x[xOffset + seen * xRowStride + c];
        }
        start += frames;
      }
      dw[dwOffset + c * dwRowStride + i] = sum;
    }
  }
};
