import type { DepthwiseConv2dOptions } from '../ops/depthwise-conv2d.js';
import { depthwiseConv2dGradients, depthwiseConv2dRecordings } from '../ops/depthwise-conv2d-backward.js';
import { columnSums } from '../ops/elementwise.js';
import { record, type Variable } from './tape.js';

/**
 * Two-dimensional cross-correlation of each channel by itself, of recordings one after another along time, each padded by
 * itself: X [Σ time, frequency, channels] with the time steps of each in `lengths`, W [channels, kernel time, kernel
 * frequency], b [channels] or null; gives Y [Σ time', frequency', channels] and the time steps of each after it.
 *
 *   Y[y,x,c] = b[c] + Σ_{r,s} X[y·sₕ + r − pₕ, x·s_w + s − p_w, c] W[c,r,s]
 *   dX = Σ over the windows that see a pixel of dY W,  dW[c,r,s] = Σ over windows of dY X,  db = Σ dY
 */
export function depthwiseConv2d(
  x: Variable,
  weight: Variable,
  bias: Variable | null,
  options: DepthwiseConv2dOptions,
  lengths: readonly number[],
): { readonly y: Variable; readonly lengths: readonly number[] } {
  const result = depthwiseConv2dRecordings(x.value, weight.value, bias?.value ?? null, options, lengths);
  const y = record([x, weight, bias], result.y, (dy) => {
    if (x.tape || weight.tape) {
      const { dx, dw } = depthwiseConv2dGradients(x.value, weight.value, dy, options, lengths);
      x.accumulate(dx);
      weight.accumulate(dw);
    }
    if (bias?.tape) bias.accumulate(columnSums(dy, bias.value.shape));
  });
  return { y, lengths: result.lengths };
}
