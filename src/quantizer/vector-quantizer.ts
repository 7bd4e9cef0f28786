import type { NdArray, Tensor } from '../tensor/index.js';

/** What both halves ask of a quantiser: the device the one, the cloud the other. */
export interface VectorQuantizer {
  /** Indices [count, stages · groups] of vectors [count, width] by the first `stages` codebooks of each group. */
  encode(x: Tensor, stages?: number): NdArray<Int32Array>;
  /** Vectors [count, width] that indices [count, stages · groups] stand for. */
  lookUp(indices: NdArray<Int32Array>): Tensor;
}
