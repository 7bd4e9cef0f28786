import { dropout, type Variable } from '../../autograd/index.js';
import type { Pass } from './network.js';

/** Dropout of a pass: each call drops others, by a seed that the pass draws for it. */
export interface Drop {
  (x: Variable): Variable;
  /** For an operation that drops inside: its rate, and a seed of its own; undefined where nothing is dropped. */
  readonly inside: () => { readonly rate: number; readonly seed: number } | undefined;
}

/** Nothing is dropped. */
export const keepAll: Drop = Object.assign((x: Variable) => x, { inside: () => undefined });

/** Dropout of a pass; nothing outside of training. */
export function dropoutOf(pass: Pass, rate: number): Drop {
  if (!pass.training || rate === 0) return keepAll;
  const seed = () => Math.floor(pass.random() * 2 ** 32);
  return Object.assign((x: Variable) => dropout(x, rate, seed()), { inside: () => ({ rate, seed: seed() }) });
}
