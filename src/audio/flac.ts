/**
 * FLAC through the package @wasm-audio-decoders/flac, an optional peer that only this file imports, and only
 * when a FLAC file is read.
 */
import { AudioError, FormatError, MissingPackageError } from '../tensor/index.js';
import type { Recording } from './wav.js';

export const looksLikeFlac = (bytes: Uint8Array): boolean =>
  bytes.length >= 4 && String.fromCharCode(...bytes.subarray(0, 4)) === 'fLaC';

/** Longest recording that is unpacked: a few bytes of FLAC can stand for hours of silence. */
const MOST_SECONDS = 24 * 3600;

/** Samples per channel that the STREAMINFO block promises; 0 where it does not say. */
function promisedSamples(bytes: Uint8Array): number {
  if (bytes.length < 26) throw new FormatError('FLAC', 'the file ends in its first block', bytes.length);
  const block = new DataView(bytes.buffer, bytes.byteOffset + 8, 18);
  const sampleRate = block.getUint32(10) >>> 12;
  if (sampleRate === 0) throw new FormatError('FLAC', 'the header says 0 samples a second', 18);
  const samples = (block.getUint8(13) & 15) * 2 ** 32 + block.getUint32(14);
  if (samples / sampleRate > MOST_SECONDS) {
    throw new AudioError(
      `the FLAC file claims ${Math.round(samples / sampleRate / 3600)} hours; at most 24 are read`,
    );
  }
  return samples;
}

async function loadDecoder() {
  try {
    const { FLACDecoder } = await import('@wasm-audio-decoders/flac');
    return new FLACDecoder();
  } catch (cause) {
    throw new MissingPackageError('@wasm-audio-decoders/flac', 'Reading FLAC', cause);
  }
}

/** Decodes a FLAC file to mono. Throws FormatError where none of it can be read. */
export async function readFlac(bytes: Uint8Array): Promise<Recording> {
  const promised = promisedSamples(bytes);
  const decoder = await loadDecoder();
  await decoder.ready;
  try {
    const { channelData, samplesDecoded, sampleRate, bitDepth, errors } = await decoder.decodeFile(bytes);
    if (samplesDecoded === 0 && (promised > 0 || errors.length > 0)) {
      throw new FormatError(
        'FLAC',
        `nothing could be decoded: ${errors[0]?.message ?? 'no frames were found'}`,
      );
    }
    // The decoder divides integers by the largest positive one; here, as in WAV, full scale is one more.
    const full = 2 ** (bitDepth - 1);
    const samples = new Float32Array(samplesDecoded);
    for (let i = 0; i < samplesDecoded; i++) {
      let sum = 0;
      for (const channel of channelData) sum += Math.round(channel[i]! * (full - 1));
      samples[i] = sum / full / channelData.length;
    }
    const missingSamples = Math.max(0, promised - samplesDecoded);
    return { samples, sampleRate, channels: channelData.length, missingSamples };
  } finally {
    decoder.free();
  }
}
