import type { TensorData } from '../checkpoints/index.js';
import { contextTensors, entropyTables, FREQUENCIES, type QuantizerConfig } from '../codec/index.js';
import type { NdArray } from '../tensor/index.js';
import { type Codebooks, countsOf, learnContexts } from './contexts/index.js';

/** What a quantiser sent: what codewords are coded by is learned from it. */
export class SentCodewords {
  private readonly stages: number;
  private readonly codewords: number;
  private readonly recordings: Int32Array[] = [];
  private counted = 0;

  constructor({ codebooks, codewords, groups = 1 }: QuantizerConfig) {
    this.stages = codebooks * groups;
    this.codewords = codewords;
  }

  /** Vectors that were counted. */
  get vectors(): number {
    return this.counted;
  }

  /** Indices [vectors, stages] of a recording, all stages, without gaps. */
  add({ data, shape }: NdArray<Int32Array>): void {
    const [vectors, stages] = shape as [number, number];
    this.recordings.push(data.slice(0, vectors * stages));
    this.counted += vectors;
  }

  /** How often each stage sent each codeword, as model files have it. */
  frequencies(): Map<string, TensorData> {
    const counts = countsOf(this.recordings, this.stages, this.codewords);
    return new Map([[FREQUENCIES, entropyTables(counts)]]);
  }

  /** The same and what contexts say, where they say something: recordings must have come as wholes. */
  tables({ data, shape }: TensorData): Map<string, TensorData> {
    const [stages, codewords, width] = shape as [number, number, number];
    const codebooks: Codebooks = { data: Float32Array.from(data as Float32Array), stages, codewords, width };
    const contexts = learnContexts(this.recordings, codebooks);
    return new Map([...this.frequencies(), ...(contexts === null ? [] : contextTensors(contexts))]);
  }
}
