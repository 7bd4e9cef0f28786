/**
 * MP3 (MPEG audio of layers I to III) through the package mpg123-decoder, an optional peer that only this file
 * imports, and only when such a file is read. The package leaves out what encoders add before and after a recording
 * where a LAME tag says how much that is.
 */
import { FormatError } from '../tensor/index.js';
import { type Bytes, bytesOf } from './bytes.js';
import { decodePieces, loadDecoder, MonoSamples, requireDuration } from './decoder.js';
import { type FrameHeader, findFirstFrame, frameRuns, readFrameHeader } from './mp3-frames.js';
import type { Recording } from './wav.js';

const FORMAT = 'MP3';
/** Bytes that are decoded at a time: of the shortest frames, some 15 MB of samples. */
const BLOCK_BYTES = 1 << 14;
/** Samples by which decoding lags behind; those that the LAME tag says come on top. */
const DECODER_DELAY = 529;

const textAt = (bytes: Uint8Array, at: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(at, at + length));

/** Samples of each channel that the first frame promises, if it is one of information; 0 where none does. */
function promisedSamples(bytes: Uint8Array, at: number, header: FrameHeader): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tag = at + 4 + header.sideBytes;
  if (at + header.bytes > bytes.length || header.bytes < 64) return 0;
  if (textAt(bytes, at + 36, 4) === 'VBRI') return view.getUint32(at + 50) * header.samples;
  if (!/^(Xing|Info)$/.test(textAt(bytes, tag, 4))) return 0;
  const flags = view.getUint32(tag + 4);
  if ((flags & 1) === 0) return 0;
  const all = view.getUint32(tag + 8) * header.samples;
  const lame = tag + 8 + 4 + (flags & 2 ? 4 : 0) + (flags & 4 ? 100 : 0) + (flags & 8 ? 4 : 0);
  if (lame + 24 > at + header.bytes || bytes[lame] === 0) return all;
  const [high, middle, low] = bytes.subarray(lame + 21, lame + 24) as unknown as [number, number, number];
  const delay = (high << 4) | (middle >> 4);
  const padding = ((middle & 15) << 8) | low;
  // Too little padding lets the end fall into the decoder's delay.
  return Math.max(0, all - delay - Math.max(padding, DECODER_DELAY));
}

export function looksLikeMp3(given: Bytes): boolean {
  return findFirstFrame(bytesOf('looksLikeMp3', given)) >= 0;
}

/**
 * Decodes an MP3 file to mono. Throws FormatError where none of it can be read, AudioError where it holds more than
 * 24 hours.
 */
export async function readMp3(given: Bytes): Promise<Recording> {
  const bytes = bytesOf('readMp3', given);
  const first = findFirstFrame(bytes);
  const header = first < 0 ? null : readFrameHeader(bytes, first);
  if (header === null) throw new FormatError(FORMAT, 'no frames were found');
  const promised = promisedSamples(bytes, first, header);
  requireDuration(FORMAT, promised, header.sampleRate);
  const decoder = await loadDecoder('mpg123-decoder', 'Reading MP3', async () => {
    const { MPEGDecoder } = await import('mpg123-decoder');
    return new MPEGDecoder();
  });
  const mono = new MonoSamples(FORMAT);
  let cutSamples = 0;
  function* pieces() {
    for (const run of frameRuns(bytes, first)) {
      cutSamples = run.cutSamples;
      for (let at = run.from; at < run.to; at += BLOCK_BYTES) {
        yield bytes.subarray(at, Math.min(at + BLOCK_BYTES, run.to));
      }
    }
  }
  await decodePieces(FORMAT, decoder, pieces(), mono);
  mono.requireSome(promised);
  const recording = mono.recording(header.channels, promised || mono.length + cutSamples);
  return { ...recording, sampleRate: header.sampleRate };
}
