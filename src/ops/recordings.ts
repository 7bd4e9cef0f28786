/** Recordings that lie one after another along the first axis, as training packs them. */
import { ShapeError, type Tensor } from '../tensor/index.js';
import { describeShape } from './shapes.js';

/** Throws unless the recordings' time steps, each of at least one, add up to those of `x`. */
export function requireLengths(operation: string, x: Tensor, lengths: readonly number[]): void {
  const total = lengths.reduce((sum, steps) => sum + steps, 0);
  const bad = lengths.find((steps) => !(Number.isInteger(steps) && steps >= 1));
  if (bad !== undefined)
    throw new ShapeError(`${operation}: a recording has ${bad} time steps, expected at least 1`);
  if (total === x.shape[0]) return;
  throw new ShapeError(
    `${operation}: x ${describeShape(x.shape)} has ${x.shape[0]} time steps, but the lengths add up to ${total}`,
  );
}
