/**
 * Streams of packets in Ogg for decoders that know when to begin and to end only roughly: packets go in pages of our
 * own, a few at a time, and positions in the pages of the file say which of the samples belong to the recording.
 */
import { FormatError } from '../tensor/index.js';
import {
  type DecodedBlock,
  type Decoder,
  decodePieces,
  type MonoSamples,
  requireDuration,
} from './decoder.js';
import { joined, type OggPage, PAGE_HEADER_BYTES, PAGE_MAGIC } from './ogg.js';
import type { Recording } from './wav.js';

/** Channels of all packets that are decoded at a time; one packet is 5,760 samples of each at most. */
const MOST_CHANNELS_AT_A_TIME = 32;
/** Segments of a page, each 255 bytes at most. */
const MOST_SEGMENTS = 255;
/** Samples that one page can stand for: so many packets of the longest that Vorbis has. */
const MOST_PAGE_SAMPLES = 255 * 8192;

/**
 * Wraps packets in pages for decoders that read pages only. Every page has whole packets, position 0 and no mark of
 * the end, so that nothing is left out; and no checksum, at which those decoders do not look.
 */
class PageWriter {
  private sequence = 0;

  /**
   * A page, less its first byte and with the first byte of the next: a decoder gives a page's samples away when it
   * sees that more follows.
   */
  page(packets: readonly Uint8Array[]): Uint8Array {
    const header = new Uint8Array(PAGE_HEADER_BYTES);
    header.set(PAGE_MAGIC);
    header[5] = this.sequence === 0 ? 2 : 0;
    new DataView(header.buffer).setUint32(18, this.sequence, true);
    const lengths = packets.flatMap(({ length }) => [
      ...new Array<number>(Math.floor(length / 255)).fill(255),
      length % 255,
    ]);
    header[26] = lengths.length;
    const page = joined([header, Uint8Array.from(lengths), ...packets, Uint8Array.of(PAGE_MAGIC[0]!)]);
    return this.sequence++ === 0 ? page : page.subarray(1);
  }
}

const segmentsOf = (packet: Uint8Array): number => Math.floor(packet.length / 255) + 1;

/** Whether packets fit in one page. */
export const fitPage = (packets: readonly Uint8Array[]): boolean =>
  packets.reduce((sum, packet) => sum + segmentsOf(packet), 0) <= MOST_SEGMENTS;

/** Packets, so many together as fit in a page and at most `most`. */
function* grouped(packets: Iterable<Uint8Array>, most: number): Generator<Uint8Array[]> {
  let group: Uint8Array[] = [];
  let segments = 0;
  for (const packet of packets) {
    const more = segmentsOf(packet);
    if (group.length === most || segments + more > MOST_SEGMENTS) {
      yield group;
      [group, segments] = [[], 0];
    }
    group.push(packet);
    segments += more;
  }
  if (group.length > 0) yield group;
}

/** What the positions in the pages say of the decoded samples. */
class Positions {
  /** Position of the first decoded sample; negative where samples before 0 are to be left out. */
  private start: number | null = null;
  /** Largest position that a page claims. */
  private claimed = 0;
  /** Decoded samples up to the end of the recording, once that is known. */
  private end: number | null = null;

  /** Notes a page before which `before` samples were decoded, and `after` when it was done with. */
  note({ granule, packets, last, lost }: OggPage, before: number, after: number): void {
    if (granule === null || (packets.length === 0 && !lost)) return;
    if (lost) {
      // Nothing says that this number is right, other than that it makes sense.
      const more = granule - this.claimed;
      if (more > 0 && more <= MOST_PAGE_SAMPLES) this.claimed = granule;
      return;
    }
    // Positions that begin later are those of a broadcast that was joined, unless pages are known to be lost. Those
    // that begin earlier leave samples out: at the end where the first page is the last, else at the beginning.
    if (this.start === null) {
      const start = this.claimed > 0 ? 0 : granule - after;
      this.start = last ? Math.max(0, start) : start;
    }
    this.claimed = Math.max(this.claimed, granule);
    if (last) this.end = Math.min(after, Math.max(before, granule - this.start));
  }

  /** The samples that belong to the recording, of which the codec wants the first `skip` left out. */
  cut(format: string, mono: MonoSamples<never>, channels: number, skip: number): Recording {
    const start = this.start ?? 0;
    const from = skip + Math.max(0, -start);
    const promised = this.claimed - start - from;
    requireDuration(format, promised, mono.sampleRate || 1);
    return mono.recording(channels, promised, from, this.end ?? mono.length);
  }
}

/** The first `count` packets of a stream: its headers, after which a page ends. */
export function headerPackets(format: string, pages: Iterator<OggPage>, count: number): Uint8Array[] {
  const packets: Uint8Array[] = [];
  while (packets.length < count) {
    const page = pages.next();
    if (page.done)
      throw new FormatError(format, `the file ends or is damaged in header ${packets.length + 1}`);
    packets.push(...page.value.packets);
  }
  return packets.slice(0, count);
}

export interface OggStream<B extends DecodedBlock> {
  readonly format: string;
  readonly decoder: Decoder<B>;
  readonly mono: MonoSamples<B>;
  readonly channels: number;
  /** What the decoder is to read first: packets of one page each row. */
  readonly headers: readonly (readonly Uint8Array[])[];
  /** The pages after the headers. */
  readonly pages: Iterable<OggPage>;
  /** Whether a packet is one of audio, as far as can be seen. */
  readonly isAudio: (packet: Uint8Array) => boolean;
  /** Samples at the beginning that belong to no recording. */
  readonly skip: number;
}

/** Decodes a stream of packets to mono; frees the decoder. */
export async function decodeOgg<B extends DecodedBlock>(stream: OggStream<B>): Promise<Recording> {
  const { format, decoder, mono, channels, headers, pages, isAudio, skip } = stream;
  const writer = new PageWriter();
  const positions = new Positions();
  const atATime = Math.max(1, Math.floor(MOST_CHANNELS_AT_A_TIME / channels));
  let packets = 0;
  function* pieces() {
    for (const header of headers) yield writer.page(header);
    for (const page of pages) {
      const before = mono.length;
      const good = page.packets.filter((packet) => isAudio(packet) && fitPage([packet]));
      packets += page.packets.length;
      for (const group of grouped(good, atATime)) yield writer.page(group);
      positions.note(page, before, mono.length);
    }
  }
  await decodePieces(format, decoder, pieces(), mono);
  mono.requireSome(packets);
  return positions.cut(format, mono as unknown as MonoSamples<never>, channels, skip);
}
