import { dropout, type Variable } from '../../autograd/index.js';
import type { Pass } from './network.js';

/** Dropout of a pass: nothing outside of training; else each call drops others, by a seed that the pass draws for it. */
export function dropoutOf(pass: Pass, rate: number): (x: Variable) => Variable {
  if (!pass.training || rate === 0) return (x) => x;
  return (x) => dropout(x, rate, Math.floor(pass.random() * 2 ** 32));
}
