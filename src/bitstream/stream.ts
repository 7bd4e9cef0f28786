/**
 * Packets of an .acom stream. Packet i carries vectors i · P .. min((i + 1) · P, V) - 1:
 *
 *   length    a varint; none where one packet carries everything, which ends where the file ends. Where stages vary: the
 *             length times K + 1, plus the stages of this packet
 *   run       the codewords: see src/entropy
 *   checksum  over header, length, run and the packet's number in a spread form: CRC-16, or CRC-32 where length and run are
 *             more than 255 bytes
 *
 * A damaged packet costs its own vectors: the next one is found by its length, or by its checksum, which knows its number.
 */
import { asBytes, type Bytes, UsageError } from '../tensor/index.js';
import { Checksums, checksumBytes, SHORT_PACKET, withNumber } from './checksums.js';
import { crc16, crc32 } from './crc.js';
import { encodeHeader, parseHeader, type StreamHeader, uintBytes, varintBytes } from './header.js';
import { type Packet, PacketReader } from './packet-reader.js';

export type { Packet } from './packet-reader.js';

function packetBytes(head: Uint8Array, header: StreamHeader, number: number, packet: Packet): Uint8Array {
  const { run, stages } = packet;
  const { codebooks, varying, vectorsPerPacket } = header;
  if (stages < 0 || stages > codebooks || (!varying && stages !== codebooks)) {
    throw new UsageError(`.acom stream: packet ${number} has ${stages} stages of ${codebooks}`);
  }
  if (stages === 0 && run.length > 0) {
    throw new UsageError(`.acom stream: packet ${number} has ${run.length} bytes of no stages`);
  }
  const length = varying ? run.length * (codebooks + 1) + stages : run.length;
  if (length >= 2 ** 28)
    throw new UsageError(`.acom stream: packet ${number} is too long: use shorter packets`);
  const body = Uint8Array.from([...(vectorsPerPacket === 0 ? [] : varintBytes(length)), ...run]);
  const size = checksumBytes(body.length);
  const crc = size === 2 ? crc16(body, crc16(head)) : crc32(body, crc32(head));
  return Uint8Array.from([...body, ...uintBytes(withNumber(crc, body.length, number), size)]);
}

/** Writes a stream. A recording without samples has one packet without bytes. */
export function writeStream(header: StreamHeader, packets: readonly Packet[]): Uint8Array {
  if (header.vectorsPerPacket === 0 && packets.length !== 1) {
    throw new UsageError(`.acom stream: ${packets.length} packets without a number of vectors for each`);
  }
  const head = encodeHeader(header);
  const parts = packets.map((packet, number) => packetBytes(head, header, number, packet));
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, head.length));
  bytes.set(head);
  let at = head.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** One packet that carries everything: it ends where the file ends. Null where it is damaged. */
function readSinglePacket(bytes: Uint8Array, head: Uint8Array, stages: number): Packet | null {
  const start = head.length;
  const end = bytes.length - (bytes.length - start - 2 <= SHORT_PACKET ? 2 : 4);
  // No body is as long as this where 2 bytes are too many for a short checksum and 4 too few for a long one.
  if (end < start || end + checksumBytes(end - start) !== bytes.length) return null;
  if (!new Checksums(bytes, head).matches(start, end, 0)) return null;
  return { stages, run: bytes.subarray(start, end) };
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
