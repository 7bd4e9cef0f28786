/**
 * Ogg, the container of Vorbis, Opus and sometimes FLAC: pages with checksums in and packets out. RFC 3533.
 */
import { FormatError } from '../tensor/index.js';

/** One page of the stream that is read. */
export interface OggPage {
  /** Packets that end in this page. */
  readonly packets: readonly Uint8Array[];
  /** Samples of the stream up to the last packet that ends here, as the codec counts them; null where none ends. */
  readonly granule: number | null;
  /** Whether the page says that it is the last. */
  readonly last: boolean;
  /**
   * Whether what it holds is lost, because the file ends within it or its checksum is wrong; it has no packets then,
   * and a position that may be wrong too.
   */
  readonly lost: boolean;
}

/** Bytes of a page before the lengths of its segments. */
export const PAGE_HEADER_BYTES = 27;
/** `OggS`. */
export const PAGE_MAGIC: readonly number[] = [0x4f, 0x67, 0x67, 0x53];
const [CONTINUED, FIRST, LAST] = [1, 2, 4] as const;

/** Identifications in the first packets of streams. */
const CODECS = { Vorbis: '\x01vorbis', Opus: 'OpusHead', FLAC: '\x7fFLAC' } as const;
export type OggCodec = keyof typeof CODECS;

export const startsWith = (bytes: Uint8Array, text: string): boolean =>
  bytes.length >= text.length && [...text].every((c, i) => bytes[i] === c.charCodeAt(0));

/** CRC-32 of the polynomial 0x04C11DB7, most significant bit first, from 0. */
const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let entry = byte << 24;
  for (let bit = 0; bit < 8; bit++) entry = entry < 0 ? (entry << 1) ^ 0x04c11db7 : entry << 1;
  return entry;
});

/** Checksum of a page, in which its own field counts as zeros. */
function checksum(page: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < page.length; i++) {
    const byte = i >= 22 && i < 26 ? 0 : page[i]!;
    sum = (sum << 8) ^ CHECKSUMS[(sum >>> 24) ^ byte]!;
  }
  return sum >>> 0;
}

interface RawPage {
  readonly flags: number;
  readonly granule: number | null;
  readonly serial: number;
  readonly sequence: number;
  readonly lengths: Uint8Array;
  /** What the segments hold; null where that is cut short or damaged. */
  readonly body: Uint8Array | null;
}

/** Pages of every stream, in order. */
function* rawPages(bytes: Uint8Array): Generator<RawPage> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = bytes.indexOf(PAGE_MAGIC[0]!); at >= 0; at = bytes.indexOf(PAGE_MAGIC[0]!, at)) {
    if (!PAGE_MAGIC.every((byte, i) => bytes[at + i] === byte) || at + PAGE_HEADER_BYTES > bytes.length) {
      at++;
      continue;
    }
    const segments = bytes[at + 26]!;
    const bodyAt = at + PAGE_HEADER_BYTES + segments;
    const lengths = bytes.subarray(at + PAGE_HEADER_BYTES, bodyAt);
    const end = lengths.reduce((sum, length) => sum + length, bodyAt);
    const granule = view.getBigInt64(at + 6, true);
    const page = {
      flags: bytes[at + 5]!,
      granule: granule < 0n ? null : Number(granule),
      serial: view.getUint32(at + 14, true),
      sequence: view.getUint32(at + 18, true),
      lengths,
    };
    const whole = lengths.length === segments && bytes[at + 4] === 0;
    if (whole && end <= bytes.length && checksum(bytes.subarray(at, end)) === view.getUint32(at + 22, true)) {
      yield { ...page, body: bytes.subarray(bodyAt, end) };
      at = end;
    } else {
      if (whole) yield { ...page, body: null };
      // Where a damaged page ends is not sure: the next may begin anywhere.
      at += PAGE_MAGIC.length;
    }
  }
}

const codecOf = (page: RawPage): OggCodec | undefined =>
  (Object.keys(CODECS) as OggCodec[]).find((codec) => page.body && startsWith(page.body, CODECS[codec]));

/** The codec of the first stream that is read; undefined where there is none, or no Ogg. */
export function oggCodec(bytes: Uint8Array): OggCodec | undefined {
  if (!startsWith(bytes, 'OggS')) return undefined;
  for (const page of rawPages(bytes)) {
    // All streams begin before any of them goes on.
    if ((page.flags & FIRST) === 0) return undefined;
    const codec = codecOf(page);
    if (codec !== undefined) return codec;
  }
  return undefined;
}

/** Puts packets together from the segments of pages that follow each other. */
class PacketAssembler {
  private started: Uint8Array[] = [];
  private next = -1;

  add({ flags, sequence, lengths, body }: RawPage & { body: Uint8Array }): Uint8Array[] {
    const packets: Uint8Array[] = [];
    // The rest of a packet whose beginning was lost is lost too, and so is a beginning without its rest.
    const goesOn = (flags & CONTINUED) !== 0;
    let whole = !goesOn || (this.started.length > 0 && sequence === this.next);
    if (!goesOn || !whole) this.started = [];
    this.next = (sequence + 1) >>> 0;
    let [from, to] = [0, 0];
    for (const length of lengths) {
      to += length;
      if (length === 255) continue;
      const piece = body.subarray(from, to);
      if (whole) packets.push(this.started.length === 0 ? piece : joined([...this.started, piece]));
      this.started = [];
      [from, whole] = [to, true];
    }
    if (from < to && whole) this.started.push(body.subarray(from, to));
    return packets;
  }
}

/** All the pieces in one. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/**
 * Pages of the first stream whose codec is known; those of others are passed over. Throws FormatError where a second such stream follows the first.
 */
export function* oggPages(format: string, bytes: Uint8Array): Generator<OggPage> {
  let serial: number | undefined;
  let packets = new PacketAssembler();
  let begun = false;
  for (const page of rawPages(bytes)) {
    const { flags, granule, body } = page;
    if (body !== null && (flags & FIRST) !== 0 && codecOf(page) !== undefined) {
      if (begun) {
        throw new FormatError(
          format,
          'several recordings follow each other in this file; make one of them, for example: ' +
            'ffmpeg -i input -ac 1 -ar 16000 output.wav',
        );
      }
      serial ??= page.serial;
      if (page.serial === serial) packets = new PacketAssembler();
    }
    if (page.serial !== serial) continue;
    begun ||= (flags & FIRST) === 0;
    if (body === null) yield { packets: [], granule, last: false, lost: true };
    else yield { packets: packets.add({ ...page, body }), granule, last: (flags & LAST) !== 0, lost: false };
  }
}

export const packetsOf = ({ packets }: OggPage): readonly Uint8Array[] => packets;
