import { poolImage as poolImageValue } from '../ops/image-pooling.js';
import { poolImageGradient } from '../ops/image-pooling-backward.js';
import type { Pool2dOptions } from '../ops/pooling.js';
import {
  averagePool2dGradient,
  averagePool2dRecordings,
  maxPool2dGradient,
  maxPool2dRecordings,
} from '../ops/recordings-pooling.js';
import { record, type Variable } from './tape.js';

/** Images [Σ time', frequency', channels] and the time steps of each recording in them. */
export interface PooledImages {
  readonly y: Variable;
  readonly lengths: readonly number[];
}

/**
 * Averages of windows, without padding, of recordings one after another along time: X [Σ time, frequency, channels]; what is
 * left over at the end of a recording is dropped.
 *
 *   dX[i,j,c] = Σ dY[y,x,c] / (h·w) over the windows (y,x) that pixel (i,j) is in
 */
export function averagePool2d(x: Variable, options: Pool2dOptions, lengths: readonly number[]): PooledImages {
  const pooled = averagePool2dRecordings(x.value, options, lengths);
  const y = record([x], pooled.y, (dy) => {
    x.accumulate(averagePool2dGradient(dy, x.shape, options, lengths));
  });
  return { y, lengths: pooled.lengths };
}

/**
 * The largest number of each window, likewise. What a window got goes to the first of its largest numbers:
 *
 *   dX[i,j,c] = Σ dY[y,x,c] over the windows (y,x) whose first largest number is X[i,j,c]
 */
export function maxPool2d(x: Variable, options: Pool2dOptions, lengths: readonly number[]): PooledImages {
  const pooled = maxPool2dRecordings(x.value, options, lengths);
  const y = record([x], pooled.y, (dy) => {
    x.accumulate(maxPool2dGradient(x.value, dy, options, lengths));
  });
  return { y, lengths: pooled.lengths };
}

/**
 * The head of CNN14: X [Σ time, frequency, channels] to [recordings, channels].
 *
 *   y[c] = max_t m[t,c] + Σ_t m[t,c] / T,  m[t,c] = Σ_f X[t,f,c] / F
 *   dX[t,f,c] = dy[c] (1/T + [t = first argmax_t m[t,c]]) / F
 */
export function poolImage(x: Variable, lengths: readonly number[]): Variable {
  return record([x], poolImageValue(x.value, lengths), (dy) => {
    x.accumulate(poolImageGradient(x.value, dy, lengths));
  });
}
