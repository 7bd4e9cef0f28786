import { dropout as dropoutValue } from '../ops/dropout.js';
import { record, type Variable } from './tape.js';

/**
 * x / (1 - rate) with a share of about `rate` of the elements 0 instead, from 0 on and below 1. Which ones depends on `seed`,
 * a 32-bit integer, and on nothing else; dx is the same of dy. Rate 0 gives x.
 */
export const dropout = (x: Variable, rate: number, seed: number): Variable =>
  rate === 0
    ? x
    : record([x], dropoutValue(x.value, rate, seed), (dy) => x.accumulate(dropoutValue(dy, rate, seed)));
