import { type NdArray, ShapeError } from '../tensor/index.js';
import { describeShape } from './shapes.js';

/** Which frames of a batch are padding: uint8 [batch, frames], 1 = padding. */
export type PaddingMask = NdArray<Uint8Array>;

/** The row of a mask that belongs to item `b`, checked against the batch it goes with. */
export function requireMask(operation: string, mask: PaddingMask, batch: number, frames: number): void {
  if (
    mask.shape.length === 2 &&
    mask.shape[0] === batch &&
    mask.shape[1] === frames &&
    mask.stride[1] === 1
  ) {
    return;
  }
  throw new ShapeError(
    `${operation}: mask has shape ${describeShape(mask.shape)}, expected [${batch}, ${frames}] (1 = padding)`,
  );
}
