/**
 * A 32-bit range coder on integers (Martin 1979). The message is an interval [low, low + range) of the unit
 * interval in steps of 2^-32; coding a symbol narrows it to the symbol's share, and bytes that can no longer
 * change are written. Nothing here is a float: the same symbols and frequencies give the same bytes on every
 * machine.
 *
 * Invariant between symbols: 2^24 <= range < 2^32, so a share of 1 in 2^TOTAL_BITS never vanishes.
 *
 * The bytes are the shortest whose continuation by zeros lies in the interval; the decoder reads zeros past
 * the end. An empty message is no bytes.
 */
import { FormatError } from '../tensor/index.js';

const TOP = 2 ** 32;
const LEAST_RANGE = 2 ** 24;

/** Frequencies are parts of 2^15: enough for 16,384 codewords, and 9 bits of precision to spare. */
export const TOTAL_BITS = 15;

export class RangeEncoder {
  private low = 0;
  private range = TOP - 1;
  private bytes = new Uint8Array(64);
  private length = 0;

  /** Codes a symbol whose share is [cumulative, cumulative + frequency) of 2^totalBits. */
  encode(cumulative: number, frequency: number, totalBits = TOTAL_BITS): void {
    const unit = this.range >>> totalBits;
    const end = cumulative + frequency;
    this.low += unit * cumulative;
    // The last share takes what the division left over.
    this.range = end === 2 ** totalBits ? this.range - unit * cumulative : unit * frequency;
    if (this.low >= TOP) {
      this.low -= TOP;
      this.carry();
    }
    while (this.range < LEAST_RANGE) {
      this.write(Math.floor(this.low / LEAST_RANGE));
      this.low = (this.low % LEAST_RANGE) * 256;
      this.range *= 256;
    }
  }

  /** Ends the message: the shortest bytes that decode to it. */
  finish(): Uint8Array {
    const end = this.low + this.range;
    for (let kept = 0; kept <= 4; kept++) {
      const step = 2 ** (32 - 8 * kept);
      let value = Math.ceil(this.low / step) * step;
      if (value >= end) continue;
      if (value >= TOP) {
        value -= TOP;
        this.carry();
      }
      for (let i = 0; i < kept; i++) this.write(Math.floor(value / 2 ** (24 - 8 * i)) % 256);
      break;
    }
    while (this.length > 0 && this.bytes[this.length - 1] === 0) this.length--;
    return this.bytes.slice(0, this.length);
  }

  private write(byte: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = byte;
  }

  /** Adds one to what is written. It fits: the interval never leaves the unit interval. */
  private carry(): void {
    let at = this.length - 1;
    while (this.bytes[at] === 255) this.bytes[at--] = 0;
    this.bytes[at]!++;
  }
}

export class RangeDecoder {
  /** The value of the message less the low end of the interval. */
  private offset = 0;
  private range = TOP - 1;
  private position = 0;

  constructor(private readonly bytes: Uint8Array) {
    for (let i = 0; i < 4; i++) this.offset = this.offset * 256 + this.next();
  }

  /** Where in 2^totalBits the next symbol's share lies; `consume` that share next. */
  peek(totalBits = TOTAL_BITS): number {
    const unit = this.range >>> totalBits;
    return Math.min(2 ** totalBits - 1, Math.floor(this.offset / unit));
  }

  /** Takes the symbol with the share [cumulative, cumulative + frequency) of 2^totalBits off the message. */
  consume(cumulative: number, frequency: number, totalBits = TOTAL_BITS): void {
    const unit = this.range >>> totalBits;
    const end = cumulative + frequency;
    this.offset -= unit * cumulative;
    this.range = end === 2 ** totalBits ? this.range - unit * cumulative : unit * frequency;
    if (this.offset < 0 || this.offset >= this.range) {
      throw new FormatError('entropy code', 'the bytes are no message of this code', this.position);
    }
    while (this.range < LEAST_RANGE) {
      this.offset = this.offset * 256 + this.next();
      this.range *= 256;
    }
  }

  private next(): number {
    return this.bytes[this.position++] ?? 0;
  }
}
