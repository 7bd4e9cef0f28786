/** Checksums of packets: over the header, the packet and its number. */
import { crc16, crc16Word, crc32, crc32Word } from './crc.js';

/** Lengths and payloads up to this many bytes have a checksum of 2 bytes, longer ones of 4. */
export const SHORT_PACKET = 255;
export const checksumBytes = (body: number): number => (body <= SHORT_PACKET ? 2 : 4);

/**
 * CRCs are linear: with plain packet numbers, one flipped bit could make two neighbours pass for two others.
 * Multiplied by this (2^32 over the golden ratio), numbers that are close differ in many bits.
 */
const NUMBER_SPREAD = 0x9e3779b1;
/** Its inverse: their product is 1 modulo 2^32. */
export const SPREAD_INVERSE = 0x0e8b2f51;
export const spread = (number: number): number => Math.imul(number + 1, NUMBER_SPREAD) >>> 0;

/** The checksum of a body, as a number, from its CRC after header and body. */
export const withNumber = (crc: number, bodyLength: number, number: number): number =>
  checksumBytes(bodyLength) === 2 ? crc16Word(spread(number), crc) : crc32Word(spread(number), crc);

/** Checksums of packets anywhere in a file. */
export class Checksums {
  private readonly head16: number;
  private readonly head32: number;

  constructor(
    private readonly bytes: Uint8Array,
    head: Uint8Array,
  ) {
    this.head16 = crc16(head);
    this.head32 = crc32(head);
  }

  /** The CRC after the header and bytes[start .. end), before the packet's number. */
  crc(start: number, end: number): number {
    return checksumBytes(end - start) === 2
      ? crc16(this.bytes, this.head16, start, end)
      : crc32(this.bytes, this.head32, start, end);
  }

  /** The checksum that stands after a body, as a number. */
  stored(start: number, end: number): number {
    let value = 0;
    for (let i = 0; i < checksumBytes(end - start); i++) value = value * 256 + this.bytes[end + i]!;
    return value;
  }

  /** Whether the checksum after bytes[start .. end) is there and that of packet `number`. */
  matches(start: number, end: number, number: number): boolean {
    if (end + checksumBytes(end - start) > this.bytes.length) return false;
    return withNumber(this.crc(start, end), end - start, number) === this.stored(start, end);
  }
}
