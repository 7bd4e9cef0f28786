/**
 * A quantiser that works in another space: vectors are projected before they are compared with codewords, on the device,
 * and what codewords sum up to is projected back in the cloud. So distances can be those that matter to the layer that
 * reads the vectors, and each half has its own matrix only.
 */
import type { NdArray, Tensor } from '../tensor/index.js';
import type { GroupedQuantizer } from './grouped-quantizer.js';
import type { VectorQuantizer } from './vector-quantizer.js';

/** An affine map of the last axis. */
export interface Projection {
  forward(x: Tensor): Tensor;
}

export class ProjectedQuantizer implements VectorQuantizer {
  /** `before` is the device's, `after` the cloud's; each half lacks the other one's. */
  constructor(
    private readonly inner: GroupedQuantizer,
    private readonly before: Projection | null,
    private readonly after: Projection | null,
  ) {}

  encode(x: Tensor, stages?: number): NdArray<Int32Array> {
    return this.inner.encode(this.before ? this.before.forward(x) : x, stages);
  }

  lookUp(indices: NdArray<Int32Array>): Tensor {
    const looked = this.inner.lookUp(indices);
    return this.after ? this.after.forward(looked) : looked;
  }
}
