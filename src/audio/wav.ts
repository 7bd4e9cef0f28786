/**
 * WAV (RIFF, RF64) in and out. Reads PCM of 8, 16, 24 and 32 bits and float of 32 and 64, plain and extensible
 * headers, any rate and channel count, chunks in any order, and whatever samples a truncated file still has.
 */
import { FormatError, UsageError } from '../tensor/index.js';
import { type Bytes, bytesOf } from './bytes.js';

/** Bytes that can be read in any order: a buffer, or a file that should not be loaded whole. */
export interface RandomAccess {
  readonly size: number;
  /** The bytes from `offset` on, fewer than `length` only at the end. */
  read(offset: number, length: number): Uint8Array;
}

/** Where the samples of a WAV file are and how they are written. */
export interface WavLayout {
  readonly sampleRate: number;
  readonly channels: number;
  readonly encoding: 'unsigned' | 'signed' | 'float';
  /** Bytes of one sample of one channel. */
  readonly sampleBytes: number;
  /** Bytes of one sample of every channel. */
  readonly frameBytes: number;
  readonly dataOffset: number;
  /** Whole frames that the file has. */
  readonly frames: number;
  /** Frames that the header promises beyond those; more than 0 means that the file was cut short. */
  readonly missingFrames: number;
}

const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;
/** Largest number that a length can be. */
const MOST_LENGTH = 0xffffffff;
/** From here on, lengths that a file does not have are what writers to pipes put: sox this one, others the largest. */
const LENGTH_UNKNOWN = 0x7ffff000;
/** More chunks than any real file has before its samples. */
const MOST_CHUNKS = 4096;

const dataView = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const fourCC = (bytes: Uint8Array, at: number) => String.fromCharCode(...bytes.subarray(at, at + 4));

type WavFormat = Pick<WavLayout, 'sampleRate' | 'channels' | 'encoding' | 'sampleBytes' | 'frameBytes'>;

function parseFormat(chunk: Uint8Array, at: number): WavFormat {
  if (chunk.length < 16)
    throw new FormatError('WAV', `the fmt chunk has ${chunk.length} bytes, needs 16`, at);
  const header = dataView(chunk);
  let tag = header.getUint16(0, true);
  const channels = header.getUint16(2, true);
  const sampleRate = header.getUint32(4, true);
  const frameBytes = header.getUint16(12, true);
  const bits = header.getUint16(14, true);
  if (tag === FORMAT_EXTENSIBLE) {
    if (chunk.length < 26) throw new FormatError('WAV', 'the extensible fmt chunk is cut short', at);
    tag = header.getUint16(24, true);
  }
  if (channels === 0) throw new FormatError('WAV', 'the header says 0 channels', at + 2);
  if (sampleRate === 0) throw new FormatError('WAV', 'the header says 0 samples a second', at + 4);
  // The container decides: 20 bits come left-justified in 3 bytes, 24 bits may come in 4.
  const sampleBytes = frameBytes / channels;
  if (!Number.isInteger(sampleBytes) || sampleBytes * 8 < bits) {
    throw new FormatError(
      'WAV',
      `${channels} channels of ${bits} bits do not fill ${frameBytes} bytes`,
      at + 12,
    );
  }
  const pcm = tag === FORMAT_PCM && sampleBytes >= 1 && sampleBytes <= 4;
  const float = tag === FORMAT_FLOAT && (sampleBytes === 4 || sampleBytes === 8);
  if (!pcm && !float) {
    throw new FormatError(
      'WAV',
      `encoding ${tag} with ${bits} bits is not supported (PCM of 8, 16, 24, 32 bits and float of 32, 64 are); ` +
        `convert it, for example: sox in.wav -e signed -b 16 out.wav`,
      at,
    );
  }
  const encoding = float ? 'float' : sampleBytes === 1 ? 'unsigned' : 'signed';
  return { sampleRate, channels, encoding, sampleBytes, frameBytes };
}

/** Whether whole chunks fill the file from byte `at` to its end. */
function chunksFollow(source: RandomAccess, at: number): boolean {
  for (let next = at, chunks = 0; chunks < MOST_CHUNKS; chunks++) {
    // A writer may leave out the padding of the last chunk.
    if (next === source.size || next === source.size + 1) return true;
    const header = source.read(next, 8);
    if (header.length < 8 || !/^[ -~]{4}$/.test(fourCC(header, 0))) return false;
    const length = dataView(header).getUint32(4, true);
    next += 8 + length + (length % 2);
  }
  return false;
}

/**
 * Bytes of the data chunk whose header says `length`, by the file where the writer did not know: it wrote to a
 * pipe and could not come back to fill in the number.
 */
function dataLength(source: RandomAccess, body: number, length: number, longLength: number): number {
  const present = source.size - body;
  if (length === MOST_LENGTH && longLength > 0) return longLength;
  if (length >= LENGTH_UNKNOWN && length > present) return present;
  if (length === 0 && !chunksFollow(source, body)) return present;
  return length;
}

/** Finds format and samples by walking the chunks. */
export function locateWavSamples(source: RandomAccess): WavLayout {
  const head = source.read(0, 12);
  if (head.length === 0) throw new FormatError('WAV', 'the file is empty');
  const riff = head.length >= 12 ? fourCC(head, 0) : '';
  if ((riff !== 'RIFF' && riff !== 'RF64') || fourCC(head, 8) !== 'WAVE') {
    throw new FormatError('WAV', 'this is no WAV file: it does not start with RIFF and WAVE', 0);
  }
  let format: WavFormat | null = null;
  let data: { offset: number; promised: number } | null = null;
  let longDataBytes = Number.NaN;
  let at = 12;
  for (let chunks = 0; at + 8 <= source.size && (format === null || data === null); chunks++) {
    if (chunks === MOST_CHUNKS)
      throw new FormatError('WAV', `no samples in the first ${MOST_CHUNKS} chunks`, at);
    const header = source.read(at, 8);
    const name = fourCC(header, 0);
    let length = dataView(header).getUint32(4, true);
    const body = at + 8;
    if (name === 'fmt ' && format === null) {
      format = parseFormat(source.read(body, Math.min(length, 40)), body);
    } else if (name === 'ds64' && length >= 16) {
      const sizes = dataView(source.read(body, 16));
      if (sizes.byteLength === 16) longDataBytes = Number(sizes.getBigUint64(8, true));
    } else if (name === 'data' && data === null) {
      length = dataLength(source, body, length, longDataBytes);
      data = { offset: body, promised: length };
    }
    at = body + length + (length % 2);
  }
  if (format === null)
    throw new FormatError('WAV', 'there is no fmt chunk: the header is damaged or cut short');
  if (data === null) throw new FormatError('WAV', 'there is no data chunk: the file holds no samples');
  const present = Math.max(0, Math.min(data.promised, source.size - data.offset));
  const frames = Math.floor(present / format.frameBytes);
  const missingFrames = Math.max(0, Math.floor(data.promised / format.frameBytes) - frames);
  return { ...format, dataOffset: data.offset, frames, missingFrames };
}

/** Reads one sample as a number in [-1, 1) (float: as it is written). */
function sampleReader({ encoding, sampleBytes }: WavLayout): (bytes: DataView, at: number) => number {
  if (encoding === 'float') {
    return sampleBytes === 4 ? (b, at) => b.getFloat32(at, true) : (b, at) => b.getFloat64(at, true);
  }
  switch (sampleBytes) {
    case 1:
      return (b, at) => (b.getUint8(at) - 128) / 128;
    case 2:
      return (b, at) => b.getInt16(at, true) / 32768;
    case 3:
      return (b, at) => ((b.getInt16(at + 1, true) << 8) | b.getUint8(at)) / 8388608;
    default:
      return (b, at) => b.getInt32(at, true) / 2147483648;
  }
}

/** Decodes whole frames and averages their channels. */
export function decodeWavFrames(layout: WavLayout, given: Bytes): Float32Array {
  const bytes = bytesOf('decodeWavFrames', given);
  const { channels, sampleBytes, frameBytes } = layout;
  const read = sampleReader(layout);
  const source = dataView(bytes);
  const mono = new Float32Array(Math.floor(bytes.length / frameBytes));
  for (let i = 0, at = 0; i < mono.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++, at += sampleBytes) sum += read(source, at);
    mono[i] = sum / channels;
  }
  return mono;
}

/** Mono samples and what is known of them. */
export interface Recording {
  readonly samples: Float32Array;
  readonly sampleRate: number;
  /** Channels that were averaged into `samples`. */
  readonly channels: number;
  /** Samples that the file promises and does not have. */
  readonly missingSamples: number;
}

/** Decodes a WAV file; throws FormatError with the byte where it stops making sense. */
export function readWav(given: Bytes): Recording {
  const bytes = bytesOf('readWav', given);
  const layout = locateWavSamples(bytesAccess(bytes));
  const { dataOffset, frames, frameBytes, sampleRate, channels, missingFrames } = layout;
  const samples = decodeWavFrames(layout, bytes.subarray(dataOffset, dataOffset + frames * frameBytes));
  return { samples, sampleRate, channels, missingSamples: missingFrames };
}

export function bytesAccess(given: Bytes): RandomAccess {
  const bytes = bytesOf('bytesAccess', given);
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

export interface WavOptions {
  readonly sampleRate: number;
  /** Bits of a sample: PCM of 8, 16, 24 or 32, or 'float32'; default 16. */
  readonly encoding?: 8 | 16 | 24 | 32 | 'float32';
}

/** Encodes mono samples; PCM clips at -1 and 1. */
export function writeWav(samples: Float32Array, { sampleRate, encoding = 16 }: WavOptions): Uint8Array {
  if (!Number.isInteger(sampleRate) || sampleRate < 1 || sampleRate > MOST_LENGTH) {
    throw new UsageError(`writeWav: the sample rate is ${sampleRate}, expected a positive whole number`);
  }
  const isFloat = encoding === 'float32';
  const bits = isFloat ? 32 : encoding;
  const sampleBytes = bits / 8;
  const dataBytes = samples.length * sampleBytes;
  if (dataBytes > MOST_LENGTH - 64) {
    throw new UsageError(`writeWav: ${samples.length} samples are more than a WAV file holds`);
  }
  const padded = dataBytes + (dataBytes % 2);
  const bytes = new Uint8Array(44 + padded);
  const out = dataView(bytes);
  const text = (at: number, letters: string) => {
    for (let i = 0; i < 4; i++) out.setUint8(at + i, letters.charCodeAt(i));
  };
  text(0, 'RIFF');
  out.setUint32(4, 36 + padded, true);
  text(8, 'WAVE');
  text(12, 'fmt ');
  out.setUint32(16, 16, true);
  out.setUint16(20, isFloat ? FORMAT_FLOAT : FORMAT_PCM, true);
  out.setUint16(22, 1, true);
  out.setUint32(24, sampleRate, true);
  out.setUint32(28, sampleRate * sampleBytes, true);
  out.setUint16(32, sampleBytes, true);
  out.setUint16(34, bits, true);
  text(36, 'data');
  out.setUint32(40, dataBytes, true);
  const full = 2 ** (bits - 1);
  for (let i = 0, at = 44; i < samples.length; i++, at += sampleBytes) {
    const value = samples[i]!;
    if (isFloat) {
      out.setFloat32(at, value, true);
      continue;
    }
    const integer = Math.max(-full, Math.min(full - 1, Math.round(value * full)));
    if (bits === 8) out.setUint8(at, integer + 128);
    else if (bits === 16) out.setInt16(at, integer, true);
    else if (bits === 32) out.setInt32(at, integer, true);
    else {
      out.setUint8(at, integer & 255);
      out.setInt16(at + 1, integer >> 8, true);
    }
  }
  return bytes;
}
