/**
 * Order-0 model of one codebook stage: how often each codeword is expected, as integer parts of 2^15. One more
 * share, the escape, stands before codewords that training never saw; where there is none it has no share.
 */
import { FormatError, UsageError } from '../tensor/index.js';
import { TOTAL_BITS } from './range-coder.js';

const TOTAL = 2 ** TOTAL_BITS;
/** More codewords would leave the frequent ones too few parts to tell them apart. */
export const MOST_CODEWORDS = 2 ** 14;
/** The escape takes at most this part of the total, however many codewords were seen only once. */
const MOST_ESCAPE = TOTAL / 16;

/**
 * Shares from counts, by integers only: every codeword that was seen gets at least one part, the rest goes by
 * largest remainder (the lowest codeword of equals), and codewords never seen share the escape, whose size
 * estimates their probability by that of codewords seen once (Good and Turing). Returns the frequency of each
 * codeword and, last, of the escape; they sum to 2^15.
 */
export function frequenciesFromCounts(counts: ArrayLike<number>): Int32Array {
  const codewords = counts.length;
  if (codewords < 1 || codewords > MOST_CODEWORDS) {
    throw new UsageError(`frequency table: ${codewords} codewords, expected 1 to ${MOST_CODEWORDS}`);
  }
  let total = 0;
  let seen = 0;
  let once = 0;
  for (let v = 0; v < codewords; v++) {
    const count = counts[v]!;
    if (!Number.isSafeInteger(count) || count < 0 || count > 2 ** 32) {
      throw new UsageError(`frequency table: codeword ${v} was counted ${count} times`);
    }
    total += count;
    if (count > 0) seen++;
    if (count === 1) once++;
  }
  const frequencies = new Int32Array(codewords + 1);
  if (seen < codewords) {
    const share = total === 0 ? TOTAL : Math.floor((TOTAL * once) / total);
    frequencies[codewords] = total === 0 ? TOTAL : Math.max(1, Math.min(MOST_ESCAPE, share));
  }
  // One part for each seen codeword, then the parts that are left in proportion to the counts.
  const left = TOTAL - frequencies[codewords]! - seen;
  let given = 0;
  const remainders: { readonly v: number; readonly remainder: number }[] = [];
  for (let v = 0; v < codewords; v++) {
    if (counts[v] === 0) continue;
    const share = Math.floor((left * counts[v]!) / total);
    frequencies[v] = 1 + share;
    given += share;
    remainders.push({ v, remainder: left * counts[v]! - share * total });
  }
  remainders.sort((a, b) => b.remainder - a.remainder || a.v - b.v);
  for (let i = 0; i < left - given && remainders.length > 0; i++) frequencies[remainders[i]!.v]!++;
  return frequencies;
}

export class FrequencyTable {
  readonly codewords: number;
  /** cumulative[v] parts lie below codeword v; the escape is share `codewords`. */
  readonly cumulative: Int32Array;
  /** Codewords that have no share, in order: an escape is followed by the number of one of them. */
  readonly unseen: readonly number[];
  /** Bits of that number. */
  readonly unseenBits: number;

  /** Frequencies as `frequenciesFromCounts` gives them. */
  constructor(private readonly frequencies: Int32Array) {
    this.codewords = frequencies.length - 1;
    if (this.codewords < 1 || this.codewords > MOST_CODEWORDS) {
      throw new FormatError(
        'frequency table',
        `${this.codewords} codewords, expected 1 to ${MOST_CODEWORDS}`,
      );
    }
    this.cumulative = new Int32Array(frequencies.length + 1);
    const unseen: number[] = [];
    for (let v = 0; v < frequencies.length; v++) {
      const frequency = frequencies[v]!;
      if (frequency < 0) throw new FormatError('frequency table', `codeword ${v} has frequency ${frequency}`);
      if (frequency === 0 && v < this.codewords) unseen.push(v);
      this.cumulative[v + 1] = this.cumulative[v]! + frequency;
    }
    if (this.cumulative[frequencies.length] !== TOTAL) {
      throw new FormatError(
        'frequency table',
        `the frequencies sum to ${this.cumulative[frequencies.length]}, expected ${TOTAL}`,
      );
    }
    if (unseen.length > 0 && frequencies[this.codewords] === 0) {
      throw new FormatError('frequency table', `${unseen.length} codewords have no frequency and no escape`);
    }
    this.unseen = unseen;
    this.unseenBits = Math.ceil(Math.log2(Math.max(1, unseen.length)));
  }

  /** The codeword with the largest share, the lowest of equals. */
  get mostFrequent(): number {
    const known = this.frequencies.subarray(0, this.codewords);
    return known.indexOf(known.reduce((most, share) => Math.max(most, share), 0));
  }

  /** Bits that codeword costs by this table: -log2 of its probability. */
  costBits(codeword: number): number {
    const frequency = this.frequencies[codeword]!;
    if (frequency > 0) return TOTAL_BITS - Math.log2(frequency);
    return TOTAL_BITS - Math.log2(this.frequencies[this.codewords]!) + this.unseenBits;
  }
}
