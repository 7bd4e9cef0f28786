/**
 * A quantiser that works in another space: vectors are projected before they are compared with codewords, on the device,
 * and what codewords sum up to is projected back in the cloud. So distances can be those that matter to the layer that
 * reads the vectors, and each half has its own matrix only.
 */
import type { Tensor } from '../tensor/index.js';
import type { VectorEncoder, VectorTable } from './vector-quantizer.js';

/** An affine map of the last axis. */
export interface Projection {
  forward(x: Tensor): Tensor;
}

/** A search that compares vectors where the device's map takes them, if there is one. */
export const projectedEncoder = (inner: VectorEncoder, before: Projection | null): VectorEncoder =>
  before === null ? inner : { encode: (x, stages) => inner.encode(before.forward(x), stages) };

/** What a table holds, projected back by the cloud's map, if there is one. */
export const projectedTable = (inner: VectorTable, after: Projection | null): VectorTable =>
  after === null ? inner : { lookUp: (indices) => after.forward(inner.lookUp(indices)) };
