/**
 * A quantiser that works in another space: vectors are projected before they are compared with codewords, on the device,
 * and what codewords sum up to is projected back in the cloud. So distances can be those that matter to the layer that
 * reads the vectors, and each half has its own matrix only.
 */
import type { NdArray, Tensor } from '../tensor/index.js';
import type { VectorQuantizer, VectorTable } from './vector-quantizer.js';

/** An affine map of the last axis. */
export interface Projection {
  forward(x: Tensor): Tensor;
}

export class ProjectedQuantizer implements VectorQuantizer {
  /** `before` is the device's, `after` the cloud's; each half lacks the other one's. */
  constructor(
    private readonly inner: VectorQuantizer,
    private readonly before: Projection | null,
    private readonly after: Projection | null,
  ) {}

  encode(x: Tensor, stages?: number): NdArray<Int32Array> {
    return this.inner.encode(this.before ? this.before.forward(x) : x, stages);
  }

  lookUp(indices: NdArray<Int32Array>): Tensor {
    return projectedTable(this.inner, this.after).lookUp(indices);
  }
}

/** What a table holds, projected back by the cloud's map, if there is one. */
export const projectedTable = (inner: VectorTable, after: Projection | null): VectorTable =>
  after === null ? inner : { lookUp: (indices) => after.forward(inner.lookUp(indices)) };
