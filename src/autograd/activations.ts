import { gluBackward, leakyReluBackward, reluBackward, swishBackward } from '../ops/activations-backward.js';
import {
  glu as gluValue,
  leakyRelu as leakyReluValue,
  relu as reluValue,
  swish as swishValue,
} from '../ops/elementwise.js';
import { record, type Variable } from './tape.js';

/** x s with s = 1 / (1 + exp(-x)). dx = dy s (1 + x (1 - s)). */
export const swish = (x: Variable): Variable =>
  record([x], swishValue(x.value), (dy) => x.accumulate(swishBackward(x.value, dy)));

/** max(x, 0). dx = dy where x > 0, else 0. */
export const relu = (x: Variable): Variable =>
  record([x], reluValue(x.value), (dy) => x.accumulate(reluBackward(x.value, dy)));

/** x where it is positive, slope · x elsewhere. dx = dy or slope · dy. */
export const leakyRelu = (x: Variable, slope: number): Variable =>
  record([x], leakyReluValue(x.value, slope), (dy) => x.accumulate(leakyReluBackward(x.value, slope, dy)));

/**
 * Gated linear unit over the last axis, a s with s = 1 / (1 + exp(-b)) and [a, b] the halves of x: [..., 2n] gives
 * [..., n]. da = dy s, db = dy a s (1 - s).
 */
export const glu = (x: Variable): Variable =>
  record([x], gluValue(x.value), (dy) => x.accumulate(gluBackward(x.value, dy)));
