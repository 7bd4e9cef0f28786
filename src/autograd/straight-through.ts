import { requireShape } from '../ops/shapes.js';
import { record, type Variable } from './tape.js';

/**
 * What a quantiser made of x, of one shape: its value is that of `quantized`, and the gradient goes to x as if nothing had
 * been quantised (Bengio, Léonard and Courville 2013). Where `quantized` was computed on a tape too, it goes there as well,
 * and that part is exact.
 */
export function straightThrough(x: Variable, quantized: Variable): Variable {
  requireShape('straightThrough', 'quantized', quantized.value, x.shape);
  return record([x, quantized], quantized.value, (dy) => {
    x.accumulate(dy, 'shared');
    quantized.accumulate(dy, 'shared');
  });
}
