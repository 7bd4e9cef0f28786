/**
 * Packets of an .acom stream. Packet i carries vectors i · P .. min((i + 1) · P, V) - 1, one run of bytes for
 * each codebook stage, so that stages can be dropped without decoding:
 *
 *   lengths   a varint for each stage; where one packet carries everything, not for the last stage, which
 *             ends where the file ends
 *   payloads  the bytes of stage 1, stage 2, ..
 *   checksum  over header, lengths, payloads and the packet's number in a spread form: CRC-16, or CRC-32 where
 *             lengths and payloads are more than 255 bytes
 *
 * A damaged packet costs its own vectors: the next one is found by its lengths, or by its checksum, which
 * knows its number.
 */
import { asBytes, type Bytes, CorruptStreamError, UsageError } from '../tensor/index.js';
import { crc16, crc16Word, crc32, crc32Word, crc32WordBetween } from './crc.js';
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
/** Its inverse: their product is 1 modulo 2^32. */
const SPREAD_INVERSE = 0x0e8b2f51;
const spread = (number: number): number => Math.imul(number + 1, NUMBER_SPREAD) >>> 0;

/** No codebook has more than 2^14 codewords, so two bytes a vector and stage are more than is ever written. */
const MOST_BYTES_A_VECTOR = 2;

/**
 * How the next good packet is found after a damaged one, and how improbable it is that noise passes for one.
 *
 * Follow: damage mostly spares the lengths, which then say where the next packets begin. For so many packets
 * their own checksum is enough; where the lengths are noise, one passes with a probability below 4 · 2^-16.
 */
const FOLLOWED = 4;
/**
 * Search: every position that could be a packet is tried with every number that its checksum allows. It counts
 * where enough of the eight packets that follow one another from there are good: with p positions, n numbers
 * and b bits of good checksums, noise passes somewhere with a probability of at most 35 · p · n / 2^b (there
 * are at most 35 choices of so many of the other seven). So b must be 20 more than log2(p · n): below 1 in
 * 29,000 for each search. An hour in packets of a second wants 3 good packets of 8, a minute wants 2.
 *
 * Numbers that share one CRC-16 do not go on sharing it: of the first 65,536, no two share it for three of
 * eight in a row; of the first 2^22, no two for four (all pairs counted).
 *
 * A run of packets that ends with the file and with the last number is certain of its number: there the first
 * one's own checksum is enough, and noise passes with a probability of about 2^-16.
 */
const LOOK_AHEAD = 8;
const SURE_BITS = 20;
/**
 * So much more before any packet was good. It may be the header that is damaged: then all checksums of equal
 * lengths are off by the same, and of the first 65,536 numbers pairs pass for each other for four of eight in
 * a row, none for five.
 */
const UNSURE_HEADER_BITS = 16;
/** Packets that may be gone with their bytes; as many as the file has bytes may be there and damaged. */
const MOST_GONE = 1 << 16;
/** Numbers that a search knows at most, four times a day in packets of one vector: they take memory. */
const MOST_NUMBERS = 1 << 22;

/** What damage may cost altogether, in bytes that go through checksums: half a second, however large the file. */
const SEARCH_BYTES = 1 << 26;
/** What one look at a position costs besides, in the same measure. */
const POSITION_BYTES = 32;

/** The checksum of a body, as a number, from its CRC after header and body. */
const withNumber = (crc: number, bodyLength: number, number: number): number =>
  checksumBytes(bodyLength) === 2 ? crc16Word(spread(number), crc) : crc32Word(spread(number), crc);

function packetBytes(header: Uint8Array, number: number, packet: Packet, single: boolean): Uint8Array {
  const measured = single ? packet.slice(0, -1) : packet;
  const lengths = measured.flatMap((stage) => varintBytes(stage.length));
  const body = Uint8Array.from([...lengths, ...packet.flatMap((stage) => [...stage])]);
  const size = checksumBytes(body.length);
  const crc = size === 2 ? crc16(body, crc16(header)) : crc32(body, crc32(header));
  return Uint8Array.from([...body, ...uintBytes(withNumber(crc, body.length, number), size)]);
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

/** Checksums of packets anywhere in a file. */
class Checksums {
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

/** One packet that carries everything: its last stage ends where the file ends. Null where it is damaged. */
function readSinglePacket(bytes: Uint8Array, head: Uint8Array, codebooks: number): Packet | null {
  const start = head.length;
  const end = bytes.length - (bytes.length - start - 2 <= SHORT_PACKET ? 2 : 4);
  // No body is as long as this where 2 bytes are too many for a short checksum and 4 too few for a long one.
  if (end < start || end + checksumBytes(end - start) !== bytes.length) return null;
  if (!new Checksums(bytes, head).matches(start, end, 0)) return null;
  const reader = new ByteReader(bytes.subarray(0, end));
  reader.position = start;
  const lengths = Array.from({ length: codebooks - 1 }, () => reader.varint('packet'));
  const stages: Uint8Array[] = [];
  let at = reader.position;
  for (const length of lengths) {
    stages.push(bytes.subarray(at, Math.min(end, at + length)));
    at = Math.min(end, at + length);
  }
  return [...stages, bytes.subarray(at, end)];
}

/** Packet numbers by the CRC-16 of their spread form alone, which many of them share. */
class NumbersByCrc {
  private readonly first = new Int32Array(1 << 16).fill(-1);
  private readonly next: Int32Array;

  constructor(readonly count: number) {
    this.next = new Int32Array(count);
    for (let number = count - 1; number >= 0; number--) {
      const crc = crc16Word(spread(number), 0);
      this.next[number] = this.first[crc]!;
      this.first[crc] = number;
    }
  }

  /** The numbers that share `crc`, in order. */
  of(crc: number): number[] {
    const found: number[] = [];
    for (let number = this.first[crc]!; number !== -1; number = this.next[number]!) found.push(number);
    return found;
  }
}

const NONE: readonly number[] = [];

interface FoundPacket {
  readonly number: number;
  readonly packet: Packet;
  /** The byte after its checksum. */
  readonly end: number;
}

/** Reads several packets one after another and finds its way past damaged ones. */
class PacketReader {
  private readonly checksums: Checksums;
  private readonly reader: ByteReader;
  private readonly longestStage: number;
  /** Made when a search first needs them: most streams are whole. */
  private numbers: NumbersByCrc | undefined;
  /** Bytes that damage has cost so far. */
  private searched = 0;

  constructor(
    private readonly bytes: Uint8Array,
    head: Uint8Array,
    private readonly header: StreamHeader,
    /** Number of packets, or Infinity where it is not known. */
    private readonly expected: number,
  ) {
    this.checksums = new Checksums(bytes, head);
    this.reader = new ByteReader(bytes);
    this.longestStage = MOST_BYTES_A_VECTOR * header.vectorsPerPacket;
  }

  /** The first good packet from `number` and `start` on, or null. */
  next(number: number, start: number): FoundPacket | null {
    return this.follow(number, start) ?? this.search(number, start);
  }

  /** Trusts the lengths of damaged packets to say where the next one begins. */
  private follow(number: number, start: number): FoundPacket | null {
    let at = start;
    for (let n = number; n < Math.min(this.expected, number + FOLLOWED); n++) {
      const end = this.bodyEnd(at);
      if (end === null) return null;
      if (this.checksums.matches(at, end, n)) return this.found(at, n);
      this.searched += end - at;
      at = end + checksumBytes(end - at);
    }
    return null;
  }

  /** Looks everywhere for the next packets. */
  private search(number: number, start: number): FoundPacket | null {
    const most = Math.min(this.expected, MOST_GONE + this.bytes.length, MOST_NUMBERS);
    this.numbers ??= new NumbersByCrc(most);
    const { numbers } = this;
    const alternatives = (this.bytes.length - start) * (numbers.count - number);
    const sureBits =
      SURE_BITS + (number === 0 ? UNSURE_HEADER_BITS : 0) + Math.log2(Math.max(1, alternatives));
    for (let at = start; at < this.bytes.length && this.searched < SEARCH_BYTES; at++) {
      let [best, bestBits] = [-1, 0];
      for (const n of this.numbersAt(numbers, at, number)) {
        const bits = this.goodBits(at, n);
        // Of two numbers that are as good, neither is.
        if (bits === bestBits) best = -1;
        if (bits > bestBits) [best, bestBits] = [n, bits];
      }
      if (best !== -1 && bestBits >= sureBits) return this.found(at, best);
    }
    return null;
  }

  /** The numbers from `least` on that the checksum of a packet at `at` allows. */
  private numbersAt(numbers: NumbersByCrc, at: number, least: number): readonly number[] {
    this.searched += POSITION_BYTES;
    const end = this.bodyEnd(at);
    if (end === null) return NONE;
    this.searched += end - at;
    const crc = this.checksums.crc(at, end);
    const stored = this.checksums.stored(at, end);
    if (checksumBytes(end - at) === 2) {
      // CRCs are linear: what the number adds is what is left without it.
      const sharing = numbers.of(stored ^ crc16Word(0, crc));
      this.searched += sharing.length;
      return sharing.filter((number) => number >= least);
    }
    // Four bytes of checksum for four of number: only one fits.
    const number = (Math.imul(crc32WordBetween(crc, stored), SPREAD_INVERSE) >>> 0) - 1;
    return number >= least && number < numbers.count ? [number] : NONE;
  }

  /**
   * Bits of good checksums in the packets that follow one another from `at` and `number` on; Infinity where
   * they end with the file and with the last number.
   */
  private goodBits(at: number, number: number): number {
    let bits = 0;
    let from = at;
    for (let n = number; n < Math.min(this.expected, number + LOOK_AHEAD); n++) {
      const end = this.bodyEnd(from);
      if (end === null) break;
      this.searched += POSITION_BYTES + end - from;
      if (this.checksums.matches(from, end, n)) bits += 8 * checksumBytes(end - from);
      from = end + checksumBytes(end - from);
      if (from === this.bytes.length && n === this.expected - 1) return Number.POSITIVE_INFINITY;
    }
    return bits;
  }

  /** The packet at `start`, which is good. */
  private found(start: number, number: number): FoundPacket {
    const { reader } = this;
    reader.position = start;
    const lengths = Array.from({ length: this.header.codebooks }, () => reader.varint('packet'));
    let end = reader.position;
    const packet = lengths.map((length) => {
      end += length;
      return this.bytes.subarray(end - length, end);
    });
    return { number, packet, end: end + checksumBytes(end - start) };
  }

  /** Where the stages of a packet at `start` end by its lengths, true or damaged; null where it has no room. */
  private bodyEnd(start: number): number | null {
    const { reader } = this;
    reader.position = start;
    let payload = 0;
    for (let s = 0; s < this.header.codebooks; s++) {
      const length = reader.tryVarint();
      if (length === null || length > this.longestStage) return null;
      payload += length;
    }
    const end = reader.position + payload;
    return end + checksumBytes(end - start) > this.bytes.length ? null : end;
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
export function readStream(from: Bytes, packetCount?: (header: StreamHeader) => number): StreamContent {
  const bytes = asBytes(from, '.acom stream');
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
export function truncateCodebooks(bytes: Bytes, codebooks: number): Uint8Array {
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
