import {
  depthwiseConv1dInputGradient,
  depthwiseConv1dRecordings,
  depthwiseConv1dWeightGradient,
} from '../ops/depthwise-conv1d-backward.js';
import { columnSums } from '../ops/elementwise.js';
import { record, type Variable } from './tape.js';

/**
 * Depthwise cross-correlation along time, zeros outside each recording: X [Σ lengths, channels], W [channels, taps] with an
 * odd number n of taps, b [channels] or null; gives [Σ lengths, channels].
 *
 *   Y[t,c]  = b[c] + Σ_i X[t + i - (n-1)/2, c] W[c,i]
 *   dX[t,c] = Σ_i dY[t - i + (n-1)/2, c] W[c,i],  dW[c,i] = Σ_t dY[t,c] X[t + i - (n-1)/2, c],  db[c] = Σ_t dY[t,c]
 */
export function depthwiseConv1d(
  x: Variable,
  weight: Variable,
  bias: Variable | null,
  lengths: readonly number[],
): Variable {
  const y = depthwiseConv1dRecordings(x.value, weight.value, bias?.value ?? null, lengths);
  return record([x, weight, bias], y, (dy) => {
    if (x.tape) x.accumulate(depthwiseConv1dInputGradient(dy, weight.value, lengths));
    if (weight.tape) {
      weight.accumulate(depthwiseConv1dWeightGradient(x.value, dy, weight.shape[1]!, lengths));
    }
    if (bias?.tape) bias.accumulate(columnSums(dy, bias.value.shape));
  });
}
