/**
 * Y[n, d] = Σ_{i < pooling} X[min(n · pooling + i, frames - 1), d] / pooling
 *
 * Means of consecutive frames: X is [frames, width], rows `xRowStride` apart, Y [groups, width] without gaps; where groups
 * reach beyond the end, they count the last frame again. With a pooling of 1 that is a copy, made longer where there are
 * more groups than frames. One operation for each element of X, and 4 bytes for each of X and Y.
 */
export type FramePooling = (
  frames: number,
  width: number,
  pooling: number,
  groups: number,
  x: Float32Array,
  xOffset: number,
  xRowStride: number,
  y: Float32Array,
  yOffset: number,
) => void;

/** Groups of frames that `frames` frames become. */
export const pooledFrames = (frames: number, pooling: number): number => Math.ceil(frames / pooling);

/** A number at a time; sums are float64. */
export const framePoolingReference: FramePooling = (
  frames,
  width,
  pooling,
  groups,
  x,
  xOffset,
  xRowStride,
  y,
  yOffset,
) => {
  for (let n = 0; n < groups; n++) {
    for (let d = 0; d < width; d++) {
      let sum = 0;
      for (let i = 0; i < pooling; i++) {
        const t = Math.min(n * pooling + i, frames - 1);
        sum += x[xOffset + t * xRowStride + d];
      }
      y[yOffset + n * width + d] = sum / pooling;
    }
  }
};
