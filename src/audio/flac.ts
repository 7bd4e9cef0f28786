/**
 * FLAC through the package @wasm-audio-decoders/flac, an optional peer that only this file imports, and only
 * when a FLAC file is read.
 */
import { AudioError, concatenate, FormatError, MissingPackageError } from '../tensor/index.js';
import { type Bytes, bytesOf } from './bytes.js';
import type { Recording } from './wav.js';

export function looksLikeFlac(given: Bytes): boolean {
  const bytes = bytesOf('looksLikeFlac', given);
  return bytes.length >= 4 && String.fromCharCode(...bytes.subarray(0, 4)) === 'fLaC';
}

/** Longest recording that is unpacked: a few bytes of FLAC can stand for hours of silence. */
const MOST_SECONDS = 24 * 3600;
/** The same at rates so high that 24 hours of samples would not fit in memory. */
const MOST_SAMPLES = 2 ** 31 - 1;
/**
 * Bytes that are unpacked at a time. A frame of 22 bytes can stand for 65,536 samples of 8 channels, so this
 * many come to 50 MB at most before they are mixed to one channel.
 */
const BLOCK_BYTES = 512;

/** What the STREAMINFO block says. */
interface StreamInfo {
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples of each channel; 0 where the writer did not know. */
  readonly promised: number;
}

function readStreamInfo(bytes: Uint8Array): StreamInfo {
  if (bytes.length < 26) throw new FormatError('FLAC', 'the file ends in its first block', bytes.length);
  const block = new DataView(bytes.buffer, bytes.byteOffset + 8, 18);
  const sampleRate = block.getUint32(10) >>> 12;
  if (sampleRate === 0) throw new FormatError('FLAC', 'the header says 0 samples a second', 18);
  const channels = ((block.getUint8(12) >> 1) & 7) + 1;
  const promised = (block.getUint8(13) & 15) * 2 ** 32 + block.getUint32(14);
  if (promised / sampleRate > MOST_SECONDS) {
    throw new AudioError(
      `the FLAC file claims ${Math.round(promised / sampleRate / 3600)} hours; at most 24 are read`,
    );
  }
  return { sampleRate, channels, promised };
}

/** Throws where more was unpacked than the header promises, or than any header may promise. */
function requireBound(decoded: number, promised: number, sampleRate: number): void {
  if (promised > 0 && decoded > promised) {
    throw new FormatError('FLAC', `the header promises ${promised} samples, the frames hold more`);
  }
  if (decoded <= Math.min(MOST_SECONDS * sampleRate, MOST_SAMPLES)) return;
  throw new AudioError(
    `the FLAC file holds more than ${decoded > MOST_SAMPLES ? `${MOST_SAMPLES} samples` : '24 hours'}: split it ` +
      'into several',
  );
}

async function loadDecoder() {
  try {
    const { FLACDecoder } = await import('@wasm-audio-decoders/flac');
    return new FLACDecoder();
  } catch (cause) {
    throw new MissingPackageError('@wasm-audio-decoders/flac', 'Reading FLAC', cause);
  }
}

/** The average of the channels of one block. */
function mixed(channelData: readonly Float32Array[], samples: number, bitDepth: number): Float32Array {
  // The decoder divides integers by the largest positive one; here, as in WAV, full scale is one more.
  const full = 2 ** (bitDepth - 1);
  const mono = new Float32Array(samples);
  for (let i = 0; i < samples; i++) {
    let sum = 0;
    for (const channel of channelData) sum += Math.round(channel[i]! * (full - 1));
    mono[i] = sum / full / channelData.length;
  }
  return mono;
}

/**
 * Decodes a FLAC file to mono. Throws FormatError where none of it can be read or where it holds more than its
 * header promises, AudioError where it holds more than 24 hours.
 */
export async function readFlac(given: Bytes): Promise<Recording> {
  const bytes = bytesOf('readFlac', given);
  const info = readStreamInfo(bytes);
  const { promised } = info;
  const decoder = await loadDecoder();
  await decoder.ready;
  const parts: Float32Array[] = [];
  let { sampleRate, channels } = info;
  let decoded = 0;
  let firstError: string | undefined;
  const take = (block: Awaited<ReturnType<typeof decoder.decode>>): void => {
    firstError ??= block.errors[0]?.message;
    if (block.samplesDecoded === 0) return;
    if (decoded > 0 && block.sampleRate !== sampleRate) {
      throw new FormatError(
        'FLAC',
        `after ${decoded} samples, the rate changes from ${sampleRate} to ${block.sampleRate} samples a second`,
      );
    }
    sampleRate = block.sampleRate;
    channels = block.channelData.length;
    decoded += block.samplesDecoded;
    requireBound(decoded, promised, sampleRate);
    parts.push(mixed(block.channelData, block.samplesDecoded, block.bitDepth));
  };
  try {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      take(await decoder.decode(bytes.subarray(at, at + BLOCK_BYTES)));
    }
    take(await decoder.flush());
  } finally {
    decoder.free();
  }
  if (decoded === 0 && (promised > 0 || firstError !== undefined)) {
    throw new FormatError('FLAC', `nothing could be decoded: ${firstError ?? 'no frames were found'}`);
  }
  return {
    samples: concatenate(parts),
    sampleRate,
    channels,
    missingSamples: Math.max(0, promised - decoded),
  };
}
