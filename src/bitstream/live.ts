/**
 * A stream that goes on: messages that a transport delivers whole (WebSocket, MQTT, a datagram), without a file around them.
 *
 *   opening   the header of a stream of several packets (header.ts) whose number of samples is 0, since nobody knows it yet,
 *             and its CRC-16
 *   packet    1 bit whether it is the last, 7 bits of its number modulo 128; of the last one, a varint of the samples between
 *             the beginning of the packet and the end of the recording; the codewords (src/entropy); a checksum over opening,
 *             packet and the whole number, as in files: CRC-16, or CRC-32 where the packet is longer than 255 bytes
 *
 * Packet i carries vectors i · P .. (i + 1) · P - 1, the last one what is left. Packets decode independently of each other.
 */
import { asBytes, type Bytes, CorruptStreamError, FormatError, UsageError } from '../tensor/index.js';
import { Checksums, checksumBytes, withNumber } from './checksums.js';
import { crc16, crc32 } from './crc.js';
import {
  ByteReader,
  encodeHeader,
  parseHeader,
  type StreamHeader,
  uintBytes,
  varintBytes,
} from './header.js';

/** What stays the same while a stream goes on. */
export type LiveHeader = Pick<StreamHeader, 'coding' | 'codebooks' | 'fingerprint' | 'vectorsPerPacket'>;

export interface LivePacket {
  /** Counted from 0. */
  readonly number: number;
  readonly run: Uint8Array;
  /** Of the last packet: samples from its beginning to the end of the recording. Null for all others. */
  readonly lastSamples: number | null;
}

const WHAT = 'live stream';
/** Numbers of packets go round after so many. */
const ROUND = 128;
/** Numbers so far ahead of the one that is expected are taken for late ones of the round before. */
const LATE = 96;
/** Longest packet that is looked at: far beyond what an encoder makes. */
const MOST_BYTES = 1 << 16;
const MOST_LAST = 2 ** 28 - 1;

export function encodeOpening(header: LiveHeader): Uint8Array {
  if (!(header.vectorsPerPacket > 0)) {
    throw new UsageError(`${WHAT}: vectorsPerPacket is ${header.vectorsPerPacket}, expected at least 1`);
  }
  const head = encodeHeader({ ...header, varying: false, samples: 0 });
  return Uint8Array.from([...head, ...uintBytes(crc16(head), 2)]);
}

/** Throws FormatError for what opens no live stream. */
export function parseOpening(from: Bytes): LiveHeader {
  const bytes = asBytes(from, WHAT);
  const { header, size } = parseHeader(bytes);
  const fail = (message: string): never => {
    throw new FormatError(WHAT, message);
  };
  if (header.vectorsPerPacket === 0 || header.samples !== 0) {
    fail('this is the beginning of a file, not of a live stream: send an opening first');
  }
  if (header.varying) fail('packets of varying stages are not known here');
  if (bytes.length !== size + 2) fail(`the opening has ${bytes.length} bytes, expected ${size + 2}`);
  if (crc16(bytes, undefined, 0, size) !== bytes[size]! * 256 + bytes[size + 1]!) {
    fail('the checksum of the opening is wrong: it was damaged on the way');
  }
  return header;
}

export function encodeLivePacket(opening: Uint8Array, { number, run, lastSamples }: LivePacket): Uint8Array {
  if (!(Number.isSafeInteger(number) && number >= 0)) {
    throw new UsageError(`${WHAT}: a packet of number ${number}, expected a whole number from 0 on`);
  }
  if (
    lastSamples !== null &&
    !(Number.isInteger(lastSamples) && lastSamples >= 0 && lastSamples <= MOST_LAST)
  ) {
    throw new UsageError(`${WHAT}: a last packet of ${lastSamples} samples, expected 0 to ${MOST_LAST}`);
  }
  const first = (lastSamples === null ? 0 : ROUND) + (number % ROUND);
  const body = Uint8Array.from([first, ...(lastSamples === null ? [] : varintBytes(lastSamples)), ...run]);
  if (body.length > MOST_BYTES - 4) {
    throw new UsageError(`${WHAT}: packet ${number} has ${body.length} bytes: use fewer vectors a packet`);
  }
  const size = checksumBytes(body.length);
  const crc = size === 2 ? crc16(body, crc16(opening)) : crc32(body, crc32(opening));
  return Uint8Array.from([...body, ...uintBytes(withNumber(crc, body.length, number), size)]);
}

/**
 * Reads a packet, where `expected` is the number after that of the last one. Throws CorruptStreamError for a damaged one, whose
 * number nobody knows either, and FormatError for one that no encoder made. Its number is less than `expected` where it comes late
 * or again. `run` lies in the memory of `from`.
 */
export function parseLivePacket(opening: Uint8Array, from: Bytes, expected: number): LivePacket {
  const bytes = asBytes(from, WHAT);
  if (bytes.length > MOST_BYTES) {
    throw new CorruptStreamError(`${WHAT}: a packet of ${bytes.length} bytes, more than ${MOST_BYTES}`);
  }
  const end = bytes.length - (bytes.length - 2 <= 255 ? 2 : 4);
  const ahead = ((bytes[0] ?? 0) - expected) & (ROUND - 1);
  const number = expected + (ahead < LATE || expected + ahead < ROUND ? ahead : ahead - ROUND);
  const isWhole = end >= 1 && end + checksumBytes(end) === bytes.length;
  if (!isWhole || !new Checksums(bytes, opening).matches(0, end, number)) {
    throw new CorruptStreamError(
      `${WHAT}: packet ${expected} or a later one is damaged: its checksum is wrong; open a new stream`,
    );
  }
  const reader = new ByteReader(bytes.subarray(0, end));
  const isLast = reader.byte('first byte') >= ROUND;
  const lastSamples = isLast ? reader.varint('samples') : null;
  return { number, run: bytes.subarray(reader.position, end), lastSamples };
}
