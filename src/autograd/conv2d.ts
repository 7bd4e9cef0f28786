import type { Conv2dOptions } from '../ops/conv2d.js';
import { conv2dInputGradient, conv2dRecordings, conv2dWeightGradient } from '../ops/conv2d-backward.js';
import { columnSums } from '../ops/elementwise.js';
import { record, type Variable } from './tape.js';

/**
 * Two-dimensional cross-correlation of recordings one after another along time, each padded by itself: X [Σ time,
 * frequency, in] with the time steps of each in `lengths`, W [out, kernel time, kernel frequency, in], b [out] or null; gives
 * Y [Σ time', frequency', out] and the time steps of each after it. `options` are rows (time) first, columns then.
 *
 *   dX = what each window's numbers got, dY W, added up over the windows that see a pixel
 *   dW = Σ over pixels of dY times the window that was seen,  db = Σ over pixels of dY
 */
export function conv2d(
  x: Variable,
  weight: Variable,
  bias: Variable | null,
  options: Conv2dOptions,
  lengths: readonly number[],
): { readonly y: Variable; readonly lengths: readonly number[] } {
  const result = conv2dRecordings(x.value, weight.value, bias?.value ?? null, options, lengths);
  const y = record([x, weight, bias], result.y, (dy) => {
    if (x.tape) x.accumulate(conv2dInputGradient(dy, weight.value, options, lengths, x.shape[1]!));
    if (weight.tape) {
      weight.accumulate(conv2dWeightGradient(x.value, dy, weight.value, options, lengths));
    }
    if (bias?.tape) bias.accumulate(columnSums(dy, bias.value.shape));
  });
  return { y, lengths: result.lengths };
}
