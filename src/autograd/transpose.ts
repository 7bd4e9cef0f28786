import { contiguous } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/** The axes of x in another order: axis i of the result is axis order[i] of x. A view; dx is dy in the order of x. */
export function transpose(x: Variable, order: readonly number[]): Variable {
  return record([x], x.value.transpose(...order), (dy) => {
    const back = order.map((_, axis) => order.indexOf(axis));
    const dx = dy.transpose(...back);
    const own = contiguous(dx);
    x.accumulate(own, own === dx ? 'shared' : 'own');
  });
}
