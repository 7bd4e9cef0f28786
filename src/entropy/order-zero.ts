/** Each codeword by how often its stage used it in training, whatever came before: fast, and simple to write again. */
import { FormatError, UsageError } from '../tensor/index.js';
import type { FrequencyTable } from './frequency-table.js';
import { type RangeDecoder, type RangeEncoder, TOTAL_BITS } from './range-coder.js';
import type { CodewordModel, Run } from './run-coder.js';

/** Parts that share an entry of the table in which decoding begins to look: 2^3. */
const COARSE = 3;

export class OrderZero implements CodewordModel {
  readonly codewords: number;
  readonly stages: number;
  /** Of all tables, one after another. */
  private readonly cumulative: Int32Array;
  private readonly stride: number;
  /** For each table and each 2^COARSE parts, the share that the first of them lies in. Made when something is decoded. */
  private first: Uint16Array | undefined;

  constructor(readonly tables: readonly FrequencyTable[]) {
    const [table] = tables;
    if (!table || tables.some(({ codewords }) => codewords !== table.codewords)) {
      throw new UsageError('order 0: the tables of all stages must have as many codewords');
    }
    this.codewords = table.codewords;
    this.stages = tables.length;
    this.stride = table.codewords + 2;
    this.cumulative = new Int32Array(this.stride * tables.length);
    tables.forEach(({ cumulative }, s) => {
      this.cumulative.set(cumulative, s * this.stride);
    });
  }

  encode({ indices, stages }: Run, encoder: RangeEncoder): void {
    let at = 0;
    while (true) {
      at = encoder.encodeAll(indices, at, this.cumulative, stages, this.stride);
      if (at === indices.length) return;
      const { cumulative, unseen, unseenBits } = this.tables[at % stages]!;
      const rare = cumulative[this.codewords]!;
      encoder.encode(rare, 2 ** TOTAL_BITS - rare);
      encoder.encode(unseen.indexOf(indices[at]!), 1, unseenBits);
      at++;
    }
  }

  decode({ indices, stages }: Run, decoder: RangeDecoder): void {
    this.first ??= this.firstShares();
    let at = 0;
    while (true) {
      at = decoder.decodeAll(indices, at, this.cumulative, stages, this.stride, this.first, COARSE);
      if (at === indices.length) return;
      const { cumulative, unseen, unseenBits } = this.tables[at % stages]!;
      const rare = cumulative[this.codewords]!;
      decoder.consume(rare, 2 ** TOTAL_BITS - rare);
      const rank = decoder.peek(unseenBits);
      decoder.consume(rank, 1, unseenBits);
      const codeword = unseen[rank];
      if (codeword === undefined)
        throw new FormatError('entropy code', `an escape names codeword ${rank} of none`);
      indices[at++] = codeword;
    }
  }

  private firstShares(): Uint16Array {
    const entries = 2 ** (TOTAL_BITS - COARSE);
    const first = new Uint16Array(entries * this.stages);
    this.tables.forEach(({ cumulative }, s) => {
      let share = 0;
      for (let entry = 0; entry < entries; entry++) {
        while (cumulative[share + 1]! <= entry << COARSE) share++;
        first[s * entries + entry] = share;
      }
    });
    return first;
  }
}
