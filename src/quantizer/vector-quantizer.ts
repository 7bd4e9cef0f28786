import type { NdArray, Tensor } from '../tensor/index.js';

/** What the cloud's half asks of a quantiser. */
export interface VectorTable {
  /** Vectors [count, width] that indices [count, stages · groups] stand for. */
  lookUp(indices: NdArray<Int32Array>): Tensor;
}

/** What the device's half asks of one. */
export interface VectorEncoder {
  /** Indices [count, stages · groups] of vectors [count, width] by the first `stages` codebooks of each group. */
  encode(x: Tensor, stages?: number): NdArray<Int32Array>;
}
