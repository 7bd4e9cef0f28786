/**
 * A 32-bit range coder on integers (Martin 1979). The message is an interval [low, low + range) of the unit
 * interval in steps of 2^-32; coding a symbol narrows it to the symbol's share, and bytes that can no longer
 * change are written. Nothing here is a float: the same symbols and frequencies give the same bytes on every
 * machine.
 *
 * Invariant between symbols: 2^24 <= range < 2^32, so a share of 1 in 2^16 never vanishes.
 *
 * The bytes are the shortest whose continuation by zeros lies in the interval; the decoder reads zeros past
 * the end. An empty message is no bytes.
 *
 * Both ends of the interval lie in an Int32Array as the 32 bits that they are: numbers above 2^31 in fields of an
 * object would be boxed.
 */
import { FormatError } from '../tensor/index.js';
import type { BitCoder } from './bit-coder.js';

const TOP = 2 ** 32;
/** Ranges below 2^24 have no bits from here on. */
const TOP_BYTE = 24;

/** Frequencies are parts of 2^15: enough for 16,384 codewords, and 9 bits of precision to spare. */
export const TOTAL_BITS = 15;
/** Probabilities of binary decisions are parts of 2^16. */
export const ONE_BITS = 16;

const LOW = 0;
const RANGE = 1;

const noMessage = (position: number): never => {
  throw new FormatError('entropy code', 'the bytes are no message of this code', position);
};

export class RangeEncoder implements BitCoder {
  private readonly interval = Int32Array.of(0, -1);
  private bytes = new Uint8Array(64);
  private length = 0;

  /** Codes a symbol whose share is [cumulative, cumulative + frequency) of 2^totalBits. */
  encode(cumulative: number, frequency: number, totalBits = TOTAL_BITS): void {
    const range = this.interval[RANGE]!;
    const unit = range >>> totalBits;
    const below = Math.imul(unit, cumulative);
    // The last share takes what the division left over.
    const isLast = cumulative + frequency === 1 << totalBits;
    this.narrow(below, isLast ? (range - below) | 0 : Math.imul(unit, frequency));
  }

  /** Codes a decision whose probability of 1 is `ones` of 2^16, and gives it back. A 1 has the lower share. */
  code(bit: number, ones: number): number {
    const range = this.interval[RANGE]!;
    const split = Math.imul(range >>> ONE_BITS, ones);
    if (bit === 0) this.narrow(split, (range - split) | 0);
    else this.narrow(0, split);
    return bit;
  }

  /**
   * Codes symbols from number `from` on, those of `stages` tables in turns: of table s, symbol v has the share from
   * cumulative[s · stride + v] to the next of 2^15. Stops before a symbol whose share is empty, and gives its number.
   */
  encodeAll(
    symbols: Int32Array,
    from: number,
    cumulative: Int32Array,
    stages: number,
    stride: number,
  ): number {
    let low = this.interval[LOW]!;
    let range = this.interval[RANGE]!;
    let table = (from % stages) * stride;
    let at = from;
    for (; at < symbols.length; at++) {
      const share = table + symbols[at]!;
      const before = cumulative[share]!;
      const end = cumulative[share + 1]!;
      if (before === end) break;
      const unit = range >>> TOTAL_BITS;
      const below = Math.imul(unit, before);
      range = end === 1 << TOTAL_BITS ? (range - below) | 0 : Math.imul(unit, end - before);
      const moved = (low + below) | 0;
      if (moved >>> 0 < low >>> 0) this.carry();
      low = moved;
      while (range >>> TOP_BYTE === 0) {
        this.write(low >>> TOP_BYTE);
        low <<= 8;
        range <<= 8;
      }
      table += stride;
      if (table === stages * stride) table = 0;
    }
    this.interval[LOW] = low;
    this.interval[RANGE] = range;
    return at;
  }

  /** Ends the message: the shortest bytes that decode to it. */
  finish(): Uint8Array {
    const low = this.interval[LOW]! >>> 0;
    const end = low + (this.interval[RANGE]! >>> 0);
    for (let kept = 0; kept <= 4; kept++) {
      const step = 2 ** (32 - 8 * kept);
      let value = Math.ceil(low / step) * step;
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

  /** The interval becomes [low + below, low + below + range). */
  private narrow(below: number, narrowed: number): void {
    const before = this.interval[LOW]!;
    let low = (before + below) | 0;
    let range = narrowed;
    if (low >>> 0 < before >>> 0) this.carry();
    while (range >>> TOP_BYTE === 0) {
      this.write(low >>> TOP_BYTE);
      low <<= 8;
      range <<= 8;
    }
    this.interval[LOW] = low;
    this.interval[RANGE] = range;
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

/** In the decoder's interval: the value of the message less its low end. */
const OFFSET = 0;

export class RangeDecoder implements BitCoder {
  private readonly interval = Int32Array.of(0, -1);
  private position = 0;

  constructor(private readonly bytes: Uint8Array) {
    for (let i = 0; i < 4; i++) this.interval[OFFSET] = (this.interval[OFFSET]! << 8) | this.next();
  }

  /** Where in 2^totalBits the next symbol's share lies; `consume` that share next. */
  peek(totalBits = TOTAL_BITS): number {
    const unit = this.interval[RANGE]! >>> totalBits;
    return Math.min(2 ** totalBits - 1, Math.floor((this.interval[OFFSET]! >>> 0) / unit));
  }

  /** Takes the symbol with the share [cumulative, cumulative + frequency) of 2^totalBits off the message. */
  consume(cumulative: number, frequency: number, totalBits = TOTAL_BITS): void {
    const range = this.interval[RANGE]!;
    const unit = range >>> totalBits;
    const below = Math.imul(unit, cumulative);
    const isLast = cumulative + frequency === 1 << totalBits;
    this.narrow(
      (this.interval[OFFSET]! - below) | 0,
      isLast ? (range - below) | 0 : Math.imul(unit, frequency),
    );
  }

  /** Takes a decision off the message: see RangeEncoder.code. */
  code(_bit: number, ones: number): number {
    const offset = this.interval[OFFSET]!;
    const range = this.interval[RANGE]!;
    const split = Math.imul(range >>> ONE_BITS, ones);
    if (offset >>> 0 < split >>> 0) {
      this.narrow(offset, split);
      return 1;
    }
    this.narrow((offset - split) | 0, (range - split) | 0);
    return 0;
  }

  /**
   * Takes symbols off the message from number `from` on, until `symbols` is full or one's share has number `escape`, whose
   * number it gives; see RangeEncoder.encodeAll. Of table s, the share of part p is looked for from
   * first[s · 2^(15 - coarse) + (p >> coarse)] on.
   */
  decodeAll(
    symbols: Int32Array,
    from: number,
    cumulative: Int32Array,
    stages: number,
    stride: number,
    first: Uint16Array,
    coarse: number,
  ): number {
    let offset = this.interval[OFFSET]!;
    let range = this.interval[RANGE]!;
    let stage = from % stages;
    const rare = stride - 2;
    let at = from;
    for (; at < symbols.length; at++) {
      const table = stage * stride;
      const unit = range >>> TOTAL_BITS;
      // Both are below 2^32, where the quotient of two doubles rounded down is exact.
      const quotient = Math.trunc((offset >>> 0) / unit) | 0;
      const part = quotient < 1 << TOTAL_BITS ? quotient : (1 << TOTAL_BITS) - 1;
      let symbol = first[(stage << (TOTAL_BITS - coarse)) + (part >> coarse)]!;
      let end = cumulative[table + symbol + 1]!;
      while (end <= part) end = cumulative[table + ++symbol + 1]!;
      const before = cumulative[table + symbol]!;
      if (symbol === rare) break;
      const below = Math.imul(unit, before);
      offset = (offset - below) | 0;
      range = end === 1 << TOTAL_BITS ? (range - below) | 0 : Math.imul(unit, end - before);
      if (offset >>> 0 >= range >>> 0) noMessage(this.position);
      while (range >>> TOP_BYTE === 0) {
        offset = (offset << 8) | this.next();
        range <<= 8;
      }
      symbols[at] = symbol;
      stage = stage + 1 === stages ? 0 : stage + 1;
    }
    this.interval[OFFSET] = offset;
    this.interval[RANGE] = range;
    return at;
  }

  private narrow(begin: number, narrowed: number): void {
    let offset = begin;
    let range = narrowed;
    if (offset >>> 0 >= range >>> 0) noMessage(this.position);
    while (range >>> TOP_BYTE === 0) {
      offset = (offset << 8) | this.next();
      range <<= 8;
    }
    this.interval[OFFSET] = offset;
    this.interval[RANGE] = range;
  }

  private next(): number {
    return this.position < this.bytes.length ? this.bytes[this.position++]! : 0;
  }
}
