import { layerNorm as layerNormValue } from '../ops/layer-norm.js';
import { layerNormBackward } from '../ops/layer-norm-backward.js';
import { reshape, sizeOf } from '../tensor/index.js';
import { record, type Variable } from './tape.js';

/**
 * (x - mean) / √(variance + epsilon) · weight + bias over the last axis, or over as many of the last axes as have the
 * elements of weight and bias: x [..., n] with weight [n], x [..., F, C] with weight [F, C].
 *
 * With x̂ the normalised x, σ = √(variance + epsilon), g = dy · weight and ⟨ ⟩ the mean over what is normalised together:
 *
 *   dx = (g - ⟨g⟩ - x̂ ⟨g x̂⟩) / σ,  dweight = Σ dy x̂,  dbias = Σ dy
 */
export function layerNorm(x: Variable, weight: Variable, bias: Variable, epsilon: number): Variable {
  const { shape } = x;
  const columns = sizeOf(weight.shape);
  let axes = 1;
  while (axes < shape.length && sizeOf(shape.slice(-axes)) < columns) axes++;
  const isRows = axes === 1;
  const rows = [...shape.slice(0, -axes), columns];
  const input = isRows ? x.value : reshape(x.value, rows);
  const y = layerNormValue(input, weight.value, bias.value, epsilon);
  return record([x, weight, bias], isRows ? y : reshape(y, shape), (dy) => {
    const { dx, dweight, dbias } = layerNormBackward(
      input,
      weight.value,
      isRows ? dy : reshape(dy, rows),
      epsilon,
    );
    x.accumulate(isRows ? dx : reshape(dx, shape));
    weight.accumulate(dweight);
    bias.accumulate(reshape(dbias, bias.shape));
  });
}
