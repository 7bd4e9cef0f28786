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
import { Checksums, checksumBytes, SHORT_PACKET, withNumber } from './checksums.js';
import { crc16, crc32 } from './crc.js';
import {
  ByteReader,
  encodeHeader,
  parseHeader,
  type StreamHeader,
  uintBytes,
  varintBytes,
} from './header.js';
import { type Packet, PacketReader } from './packet-reader.js';

export type { Packet } from './packet-reader.js';

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

/**
 * The same recording by its first `codebooks` stages only, without decoding. Of a model with groups, a codebook is a
 * stage of each group: StreamCoder.truncate counts in those.
 */
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
