import type { TensorData } from '../checkpoints/index.js';
import { entropyTables, type QuantizerConfig } from '../codec/index.js';
import type { NdArray } from '../tensor/index.js';

/** How often each stage of a quantiser chose each codeword: what entropy tables are made of. */
export class CodewordCounts {
  private readonly counts: readonly Float64Array[];
  private counted = 0;

  constructor({ codebooks, codewords, groups = 1 }: QuantizerConfig) {
    this.counts = Array.from({ length: codebooks * groups }, () => new Float64Array(codewords));
  }

  /** Vectors that were counted. */
  get vectors(): number {
    return this.counted;
  }

  /** Indices [vectors, stages] of all stages, without gaps. */
  add({ data, shape }: NdArray<Int32Array>): void {
    const [vectors, stages] = shape as [number, number];
    for (let i = 0; i < vectors * stages; i++) this.counts[i % stages]![data[i]!]!++;
    this.counted += vectors;
  }

  /** Entropy tables as model files have them. */
  tables(): TensorData {
    return entropyTables(this.counts);
  }
}
