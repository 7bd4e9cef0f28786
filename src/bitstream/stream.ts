/**
 * Packets of an .acom stream. Packet i carries vectors i · P .. min((i + 1) · P, V) - 1, one run of bytes for
 * each codebook stage, so that stages can be dropped without decoding:
 *
 *   lengths   a varint for each stage; where one packet carries everything, not for the last stage, which
 *             ends where the file ends
 *   payloads  the bytes of stage 1, stage 2, ..
 *   checksum  over header, lengths, payloads and the packet's number in a spread form: CRC-16, or CRC-32 where lengths and payloads
 *             are more than 255 bytes
 *
 * A damaged packet costs its own vectors: the next one is found by its lengths, or by its checksum, which
 * knows its number.
 */
import { CorruptStreamError, UsageError } from '../tensor/index.js';
import { crc16, crc32 } from './crc.js';
import {
  ByteReader,
  encodeHeader,
  parseHeader,
  type StreamHeader,
  uintBytes,
  varintBytes,
} from './header.js';

/** Bytes of each stage of one packet. */
export type Packet = readonly Uint8Array[];

/** Lengths and payloads up to this many bytes have a checksum of 2 bytes, longer ones of 4. */
const SHORT_PACKET = 255;
const checksumBytes = (body: number): number => (body <= SHORT_PACKET ? 2 : 4);

/**
 * CRCs are linear: with plain packet numbers, one flipped bit could make two neighbours pass for two others.
 * Multiplied by this (2^32 over the golden ratio), numbers that are close differ in many bits.
 */
const NUMBER_SPREAD = 0x9e3779b1;

/** Packets in a row that may be lost before the search for the next good one ends. */
const MOST_LOST = 64;
/** Bytes that a search may put through checksums: damage must not cost more than a moment. */
const SEARCH_BYTES = 1 << 26;
/** No codebook has more than 2^14 codewords, so two bytes a vector and stage are more than is ever written. */
const MOST_BYTES_A_VECTOR = 2;

function checksum(header: Uint8Array, body: Uint8Array, number: number): number[] {
  const after = Uint8Array.from(uintBytes(Math.imul(number + 1, NUMBER_SPREAD) >>> 0, 4));
  return checksumBytes(body.length) === 2
    ? uintBytes(crc16(after, crc16(body, crc16(header))), 2)
    : uintBytes(crc32(after, crc32(body, crc32(header))), 4);
}

function packetBytes(header: Uint8Array, number: number, packet: Packet, single: boolean): Uint8Array {
  const measured = single ? packet.slice(0, -1) : packet;
  const lengths = measured.flatMap((stage) => varintBytes(stage.length));
  const body = Uint8Array.from([...lengths, ...packet.flatMap((stage) => [...stage])]);
  return Uint8Array.from([...body, ...checksum(header, body, number)]);
}

/** Writes a stream. A recording without samples has one packet without bytes. */
export function writeStream(header: StreamHeader, packets: readonly Packet[]): Uint8Array {
  const single = header.vectorsPerPacket === 0;
  if (single && packets.length !== 1) {
    throw new UsageError(`.acom stream: ${packets.length} packets without a number of vectors for each`);
  }
  const head = encodeHeader(header);
  const parts = packets.map((packet, number) => {
    if (packet.length !== header.codebooks) {
      throw new UsageError(
        `.acom stream: packet ${number} has ${packet.length} stages of ${header.codebooks}`,
      );
    }
    return packetBytes(head, number, packet, single);
  });
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, head.length));
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Whether the checksum after bytes[start .. end) is that of packet `number`. */
function matches(bytes: Uint8Array, head: Uint8Array, number: number, start: number, end: number): boolean {
  if (end + checksumBytes(end - start) > bytes.length) return false;
  return checksum(head, bytes.subarray(start, end), number).every((byte, i) => bytes[end + i] === byte);
}

/** One packet that carries everything: its last stage ends where the file ends. Null where it is damaged. */
function readSinglePacket(bytes: Uint8Array, head: Uint8Array, codebooks: number): Packet | null {
  const room = bytes.length - head.length;
  const end = bytes.length - (room - 2 <= SHORT_PACKET ? 2 : 4);
  if (end < head.length || !matches(bytes, head, 0, head.length, end)) return null;
  const reader = new ByteReader(bytes.subarray(0, end));
  reader.position = head.length;
  const lengths = Array.from({ length: codebooks - 1 }, () => reader.varint('packet'));
  const stages: Uint8Array[] = [];
  let at = reader.position;
  for (const length of lengths) {
    stages.push(bytes.subarray(at, Math.min(end, at + length)));
    at = Math.min(end, at + length);
  }
  return [...stages, bytes.subarray(at, end)];
}

/** Where the stages of a packet lie by its lengths, true or damaged. */
interface PacketLayout {
  readonly start: number;
  readonly stages: readonly (readonly [from: number, to: number])[];
  /** The byte after the last stage, where the checksum begins. */
  readonly bodyEnd: number;
  readonly end: number;
}

/** Reads several packets one after another and finds its way past damaged ones. */
class PacketReader {
  private searched = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly head: Uint8Array,
    private readonly header: StreamHeader,
    /** Number of packets, or Infinity where it is not known. */
    private readonly expected: number,
  ) {}

  /** The first good packet from `number` and `start` on, or null. */
  next(number: number, start: number): { number: number; packet: Packet; end: number } | null {
    return this.follow(number, start) ?? this.search(number, start);
  }

  /** Trusts the lengths of damaged packets to say where the next one begins. */
  private follow(number: number, start: number) {
    let at = start;
    for (let n = number; n < this.expected && n <= number + MOST_LOST; n++) {
      const layout = this.layoutAt(at);
      if (layout === null) return null;
      if (this.isGood(layout, n)) return this.found(layout, n);
      at = layout.end;
    }
    return null;
  }

  /**
   * Looks everywhere for the next packets. Checksums are short and positions many, so a packet counts only
   * where it is followed by its successor, or by the end of the file.
   */
  private search(number: number, start: number) {
    const longest = this.header.codebooks * (MOST_BYTES_A_VECTOR * this.header.vectorsPerPacket + 4) + 4;
    for (let n = number + 1; n < this.expected && n <= number + MOST_LOST; n++) {
      const last = Math.min(this.bytes.length, start + (n - number) * longest);
      for (let from = start; from < last; from++) {
        if (this.searched > SEARCH_BYTES) return null;
        const layout = this.layoutAt(from);
        if (layout === null || !this.isGood(layout, n)) continue;
        const successor = this.layoutAt(layout.end);
        const ends = layout.end === this.bytes.length;
        if (ends || (successor !== null && this.isGood(successor, n + 1))) return this.found(layout, n);
      }
    }
    return null;
  }

  private found(layout: PacketLayout, number: number) {
    return {
      number,
      packet: layout.stages.map(([from, to]) => this.bytes.subarray(from, to)),
      end: layout.end,
    };
  }

  private isGood({ start, bodyEnd }: PacketLayout, number: number): boolean {
    this.searched += bodyEnd - start + this.head.length;
    return matches(this.bytes, this.head, number, start, bodyEnd);
  }

  private layoutAt(start: number): PacketLayout | null {
    const reader = new ByteReader(this.bytes);
    reader.position = start;
    const lengths: number[] = [];
    for (let s = 0; s < this.header.codebooks; s++) {
      const length = reader.tryVarint();
      if (length === null || length > MOST_BYTES_A_VECTOR * this.header.vectorsPerPacket) return null;
      lengths.push(length);
    }
    const stages: [number, number][] = [];
    let at = reader.position;
    for (const length of lengths) {
      stages.push([at, at + length]);
      at += length;
    }
    const end = at + checksumBytes(at - start);
    return end > this.bytes.length ? null : { start, stages, bodyEnd: at, end };
  }
}

export interface StreamContent {
  readonly header: StreamHeader;
  /** Packets in order as far as there are any; null where one is damaged. */
  readonly packets: readonly (Packet | null)[];
  /** Bytes after the last packet that belong to none. */
  readonly trailingBytes: number;
}

/**
 * Reads a stream. `packetCount` says how many packets the header implies, which depends on the codec model;
 * without it, packets are read as far as they go. Damage is no error here: damaged packets come as null, and
 * packets missing at the end do not come at all.
 */
export function readStream(bytes: Uint8Array, packetCount?: (header: StreamHeader) => number): StreamContent {
  const { header, size } = parseHeader(bytes);
  const head = bytes.subarray(0, size);
  if (header.vectorsPerPacket === 0) {
    return { header, packets: [readSinglePacket(bytes, head, header.codebooks)], trailingBytes: 0 };
  }
  const expected = packetCount?.(header) ?? Number.POSITIVE_INFINITY;
  const reader = new PacketReader(bytes, head, header, expected);
  const packets: (Packet | null)[] = [];
  let at = size;
  while (packets.length < expected && at < bytes.length) {
    const next = reader.next(packets.length, at);
    if (next === null) break;
    while (packets.length < next.number) packets.push(null);
    packets.push(next.packet);
    at = next.end;
  }
  return { header, packets, trailingBytes: bytes.length - at };
}

/** The same recording by its first `codebooks` stages only, without decoding. */
export function truncateCodebooks(bytes: Uint8Array, codebooks: number): Uint8Array {
  const { header, packets, trailingBytes } = readStream(bytes);
  if (!Number.isInteger(codebooks) || codebooks < 1 || codebooks > header.codebooks) {
    throw new UsageError(`truncateCodebooks: ${codebooks} codebooks of a stream of ${header.codebooks}`);
  }
  const kept = packets.map((packet, number) => {
    if (packet === null) throw new CorruptStreamError(`truncateCodebooks: packet ${number} is damaged`);
    return packet.slice(0, codebooks);
  });
  if (trailingBytes > 0) {
    throw new CorruptStreamError(`truncateCodebooks: packet ${packets.length} is damaged`);
  }
  return writeStream({ ...header, codebooks }, kept);
}
