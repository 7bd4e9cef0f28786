/**
 * Whether a vector is the one before it again, which costs almost nothing where that goes on: silence, held tones, dead
 * lines. One decision for each vector but the first, by how often it came true lately, after a repeated vector and after another.
 */
import type { BitCoder } from './bit-coder.js';
import type { Run } from './run-coder.js';

/** Parts of 2^16. */
const AFTER_ANOTHER = 1 << 8;
const AFTER_A_REPEATED = 1 << 15;
/** Each decision moves its probability by a 16th of the way to what came true. */
const RATE = 4;

export class Repeats {
  private readonly ones = Int32Array.of(AFTER_ANOTHER, AFTER_A_REPEATED);
  /** Whether the last vector was a repeated one: 0 or 1. */
  private last = 0;

  /** Codes whether vector `n` is vector n - 1 again; a decoder then has it in `indices`. */
  code({ indices, stages }: Run, n: number, coder: BitCoder): boolean {
    if (n === 0) return false;
    const begin = n * stages;
    let repeated = 1;
    for (let i = begin; i < begin + stages; i++) {
      if (indices[i] !== indices[i - stages]) repeated = 0;
    }
    const ones = this.ones[this.last]!;
    const bit = coder.code(repeated, ones);
    const moved = ones + (((bit << 16) - ones) >> RATE);
    this.ones[this.last] = Math.max(1, moved);
    this.last = bit;
    if (bit === 0) return false;
    indices.copyWithin(begin, begin - stages, begin);
    return true;
  }
}
