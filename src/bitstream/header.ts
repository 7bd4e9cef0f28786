/**
 * The first bytes of an .acom stream, most significant bit first:
 *
 *   bits       field
 *   8          magic 0xAC
 *   3          version, 1
 *   1          whether there are several packets
 *   4          codebooks K, 1..15
 *   32         fingerprint of the codec model
 *   16, 24, 40 samples N of the recording at the model's rate: 0 + 15 bits, 10 + 22 bits, or 11 + 38 bits
 *   8..        vectors per packet, a varint; only where there are several packets
 *
 * The header has no checksum of its own: the checksum of every packet begins with it.
 */
import { FormatError, UsageError } from '../tensor/index.js';

export const MAGIC = 0xac;
export const VERSION = 1;
/** Codebooks that the header has room for. */
export const MOST_CODEBOOKS = 15;
/** Samples that the longest form counts. */
export const MOST_SAMPLES = 2 ** 38 - 1;

export interface StreamHeader {
  /** Codebooks used, K. */
  readonly codebooks: number;
  /** First four bytes of the codec model's digest, as a number. */
  readonly fingerprint: number;
  /** Samples of the recording at the model's sample rate. */
  readonly samples: number;
  /** Vectors in every packet but the last; 0 where one packet carries all of them. */
  readonly vectorsPerPacket: number;
}

const fail = (message: string, offset?: number): never => {
  throw new FormatError('.acom stream', message, offset);
};

/** Reads big-endian fields and counts where it is. */
export class ByteReader {
  position = 0;
  constructor(readonly bytes: Uint8Array) {}

  byte(what: string): number {
    const value = this.bytes[this.position];
    if (value === undefined) return fail(`the file ends in its ${what}`, this.position);
    this.position++;
    return value;
  }

  uint(bytes: number, what: string): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value = value * 256 + this.byte(what);
    return value;
  }

  /** Seven bits a byte, least significant first, the top bit set in all but the last; below 2^28. */
  varint(what: string): number {
    return this.tryVarint() ?? fail(`the length of its ${what} is cut short or too large`, this.position);
  }

  /** The same, or null where there is none. */
  tryVarint(): number | null {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.bytes[this.position];
      if (byte === undefined) return null;
      this.position++;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
    return null;
  }

  /** Samples in 2, 3 or 5 bytes; see the head of this file. */
  samples(): number {
    const first = this.byte('sample count');
    if (first < 128) return first * 256 + this.byte('sample count');
    if (first < 192) return (first - 128) * 65536 + this.uint(2, 'sample count');
    return (first - 192) * 2 ** 32 + this.uint(4, 'sample count');
  }
}

export const uintBytes = (value: number, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) % 256);

export function varintBytes(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return [...bytes, rest];
}

function sampleBytes(samples: number): number[] {
  if (samples < 2 ** 15) return uintBytes(samples, 2);
  if (samples < 2 ** 22) return uintBytes(samples + 2 ** 23, 3);
  return uintBytes(samples + 3 * 2 ** 38, 5);
}

const requireRange = (name: string, value: number, least: number, most: number): void => {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new UsageError(`.acom stream: ${name} is ${value}, expected a whole number from ${least} to ${most}`);
};

export function encodeHeader(header: StreamHeader): Uint8Array {
  const { codebooks, fingerprint, samples, vectorsPerPacket } = header;
  requireRange('codebooks', codebooks, 1, MOST_CODEBOOKS);
  requireRange('fingerprint', fingerprint, 0, 2 ** 32 - 1);
  requireRange('samples', samples, 0, MOST_SAMPLES);
  requireRange('vectorsPerPacket', vectorsPerPacket, 0, 2 ** 28 - 1);
  const several = vectorsPerPacket > 0;
  return Uint8Array.from([
    MAGIC,
    (VERSION << 5) | (several ? 16 : 0) | codebooks,
    ...uintBytes(fingerprint, 4),
    ...sampleBytes(samples),
    ...(several ? varintBytes(vectorsPerPacket) : []),
  ]);
}

/** Whether bytes begin like an .acom stream of any version. */
export const looksLikeStream = (bytes: Uint8Array): boolean =>
  bytes.length >= 2 && bytes[0] === MAGIC && bytes[1]! >= 32;

/** Reads a header; `size` is the number of bytes that it takes. */
export function parseHeader(bytes: Uint8Array): { readonly header: StreamHeader; readonly size: number } {
  if (bytes.length === 0) return fail('the file is empty');
  const reader = new ByteReader(bytes);
  if (reader.byte('magic') !== MAGIC) return fail('this is no .acom stream: its first byte is not 0xAC', 0);
  const second = reader.byte('version');
  const version = second >> 5;
  if (version !== VERSION) {
    return fail(
      `version ${version} is not known here, only version ${VERSION}: use a newer acom, or the file is damaged`,
      1,
    );
  }
  const codebooks = second & 15;
  if (codebooks === 0) return fail('the header says 0 codebooks', 1);
  const fingerprint = reader.uint(4, 'fingerprint');
  const samples = reader.samples();
  const several = (second & 16) !== 0;
  const vectorsPerPacket = several ? reader.varint('packet length') : 0;
  if (several && vectorsPerPacket === 0) return fail('the header says packets of 0 vectors', reader.position);
  return { header: { codebooks, fingerprint, samples, vectorsPerPacket }, size: reader.position };
}
