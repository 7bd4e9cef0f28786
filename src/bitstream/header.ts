/**
 * The first bytes of an .acom stream, most significant bit first:
 *
 *   bits       field
 *   8          0xAC, which says both .acom and version 1; 0xAD to 0xAF are kept for later versions
 *   1          whether there are several packets
 *   1          whether packets say how many stages they carry; only where there are several
 *   2          coding of codewords: packed, order 0, adaptive, context
 *   4          stages K, 1..15
 *   32         fingerprint of the codec model
 *   16, 24, 40 samples N of the recording at the model's rate: 0 + 15 bits, 10 + 22 bits, or 11 + 38 bits
 *   8..        vectors per packet, a varint; only where there are several packets
 *
 * The header has no checksum of its own: the checksum of every packet begins with it.
 */
import { FormatError, UsageError } from '../tensor/index.js';

export const MAGIC = 0xac;
export const VERSION = 1;
/** First bytes of versions 1 to 4. */
const VERSIONS = 4;
/** How codewords become bytes, in the order of their numbers in the header: see src/entropy. */
export const CODINGS = ['packed', 'order-0', 'adaptive', 'context'] as const;
export type Coding = (typeof CODINGS)[number];
/** Codebooks that the header has room for. */
export const MOST_CODEBOOKS = 15;
/** Samples that the longest form counts. */
export const MOST_SAMPLES = 2 ** 38 - 1;

export interface StreamHeader {
  readonly coding: Coding;
  /** Whether each packet says how many of the K stages it carries. */
  readonly varying: boolean;
  /** Stages used, K. */
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
  const { coding, varying, codebooks, fingerprint, samples, vectorsPerPacket } = header;
  requireRange('codebooks', codebooks, 1, MOST_CODEBOOKS);
  requireRange('fingerprint', fingerprint, 0, 2 ** 32 - 1);
  requireRange('samples', samples, 0, MOST_SAMPLES);
  requireRange('vectorsPerPacket', vectorsPerPacket, 0, 2 ** 28 - 1);
  const several = vectorsPerPacket > 0;
  if (varying && !several) throw new UsageError('.acom stream: a single packet has all stages');
  if (!CODINGS.includes(coding)) {
    throw new UsageError(`.acom stream: coding is ${coding}; there are ${CODINGS.join(', ')}`);
  }
  return Uint8Array.from([
    MAGIC,
    (several ? 128 : 0) | (varying ? 64 : 0) | (CODINGS.indexOf(coding) << 4) | codebooks,
    ...uintBytes(fingerprint, 4),
    ...sampleBytes(samples),
    ...(several ? varintBytes(vectorsPerPacket) : []),
  ]);
}

/** The version that a first byte says; 0 where it is none of a stream. */
const versionOf = (first: number | undefined): number =>
  first !== undefined && first >= MAGIC && first < MAGIC + VERSIONS ? first - MAGIC + 1 : 0;

/** Whether bytes begin like an .acom stream of any version. */
export const looksLikeStream = (bytes: Uint8Array): boolean => bytes.length >= 2 && versionOf(bytes[0]) > 0;

/** Reads a header; `size` is the number of bytes that it takes. */
export function parseHeader(bytes: Uint8Array): { readonly header: StreamHeader; readonly size: number } {
  if (bytes.length === 0) return fail('the file is empty');
  const reader = new ByteReader(bytes);
  const version = versionOf(reader.byte('first byte'));
  if (version === 0) return fail('this is no .acom stream: its first byte is not 0xAC', 0);
  if (version !== VERSION) {
    return fail(
      `version ${version} is not known here, only version ${VERSION}: use a newer acom, or the file is damaged`,
      0,
    );
  }
  const second = reader.byte('options');
  const several = (second & 128) !== 0;
  const varying = (second & 64) !== 0;
  if (varying && !several) return fail('the header says one packet, and that its stages vary', 1);
  const codebooks = second & 15;
  if (codebooks === 0) return fail('the header says 0 codebooks', 1);
  const fingerprint = reader.uint(4, 'fingerprint');
  const samples = reader.samples();
  const vectorsPerPacket = several ? reader.varint('packet length') : 0;
  if (several && vectorsPerPacket === 0) return fail('the header says packets of 0 vectors', reader.position);
  const coding = CODINGS[(second >> 4) & 3]!;
  const header = { coding, varying, codebooks, fingerprint, samples, vectorsPerPacket };
  return { header, size: reader.position };
}
