/** Reads packets, and finds the next good one after damage. */
import { Checksums, checksumBytes, SPREAD_INVERSE, spread } from './checksums.js';
import { crc16Word, crc32WordBetween } from './crc.js';
import { ByteReader, type StreamHeader } from './header.js';

export interface Packet {
  /** Stages that it carries, of every vector; 0 where it carries nothing. */
  readonly stages: number;
  /** Their codewords. */
  readonly run: Uint8Array;
}

/** No codebook has more than 2^14 codewords, so two bytes a codeword are more than is ever written. */
const MOST_BYTES_A_CODEWORD = 2;

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
  readonly start: number;
  /** The byte after its checksum. */
  readonly end: number;
}

/** Reads several packets one after another and finds its way past damaged ones. */
export class PacketReader {
  private readonly checksums: Checksums;
  private readonly reader: ByteReader;
  private readonly longestRun: number;
  /** Of the packet whose length was read last. */
  private stages = 0;
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
    this.longestRun = MOST_BYTES_A_CODEWORD * header.vectorsPerPacket * header.codebooks;
  }

  /** The first good packet from `number` and `start` on, or null. */
  next(number: number, start: number): FoundPacket | null {
    const found = this.follow(number, start);
    return found === null ? this.search(number, start) : this.backFrom(found, number, start);
  }

  /**
   * Good packets that `follow` jumped over: what stands where a length was may lead to a later packet by chance, and count as
   * many packets as there are. Goes back from `found`, packet by packet, to the first that ends where the next begins.
   */
  private backFrom(found: FoundPacket, number: number, start: number): FoundPacket {
    let first = found;
    for (let n = found.number - 1; n >= number; n--) {
      let at = start;
      for (; at < first.start && !this.endsAt(at, first.start, n); at++) this.searched += POSITION_BYTES;
      if (at === first.start) break;
      first = this.found(at, n);
    }
    return first;
  }

  /** Whether packet `number` stands at `start`, whole, and ends at `end`. */
  private endsAt(start: number, end: number, number: number): boolean {
    const body = this.bodyEnd(start);
    return (
      body !== null &&
      body + checksumBytes(body - start) === end &&
      this.checksums.matches(start, body, number)
    );
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
    const to = this.runEnd(start);
    const packet = { stages: this.stages, run: this.bytes.subarray(this.reader.position, to) };
    return { number, packet, start, end: to + checksumBytes(to - start) };
  }

  /** Where the run of a packet at `start` ends by its length, true or damaged; null where it has no room. */
  private bodyEnd(start: number): number | null {
    const end = this.runEnd(start);
    return end < 0 || end + checksumBytes(end - start) > this.bytes.length ? null : end;
  }

  /** The same, room or not; -1 where no packet says such a length. Leaves the reader where the run begins. */
  private runEnd(start: number): number {
    const { reader } = this;
    const { codebooks, varying } = this.header;
    reader.position = start;
    const said = reader.tryVarint();
    if (said === null) return -1;
    const length = varying ? Math.floor(said / (codebooks + 1)) : said;
    this.stages = varying ? said % (codebooks + 1) : codebooks;
    if (length > this.longestRun || (this.stages === 0 && length > 0)) return -1;
    return reader.position + length;
  }
}
