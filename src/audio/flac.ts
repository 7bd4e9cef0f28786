/**
 * FLAC, plain and in Ogg, through the package @wasm-audio-decoders/flac, an optional peer that only this file
 * imports, and only when a FLAC file is read.
 */
import type { FLACDecoder } from '@wasm-audio-decoders/flac';
import { FormatError } from '../tensor/index.js';
import { type Bytes, bytesOf } from './bytes.js';
import { type DecodedBlock, decodePieces, loadDecoder, MonoSamples, requireDuration } from './decoder.js';
import { oggPages, packetsOf } from './ogg.js';
import type { Recording } from './wav.js';

const MAGIC = 'fLaC';

export function looksLikeFlac(given: Bytes): boolean {
  const bytes = bytesOf('looksLikeFlac', given);
  return bytes.length >= 4 && String.fromCharCode(...bytes.subarray(0, 4)) === MAGIC;
}

/**
 * Bytes that are unpacked at a time. A frame of 22 bytes can stand for 65,536 samples of 8 channels, so this
 * many come to 50 MB at most before they are mixed to one channel.
 */
const BLOCK_BYTES = 512;
/** A decoder that has read a file to its end: making one costs several times what a short recording does. */
let idle: FLACDecoder | undefined;

/** Bytes of a STREAMINFO block with its header. */
const STREAM_INFO_BYTES = 38;
/** Bytes before `fLaC` in the first packet of an Ogg stream: 0x7F, `FLAC`, version, number of headers. */
const MAPPING_BYTES = 9;

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
  requireDuration('FLAC', promised, sampleRate);
  return { sampleRate, channels, promised };
}

/** So many bytes the package wants to see before it takes something for a header; that of a first frame has at most 10. */
const FRAME_HEADER_BYTES = 16;

/** Header of the first frame, behind the blocks of metadata; null where the file ends before it. */
function firstFrame(bytes: Uint8Array): Uint8Array | null {
  for (let at = MAGIC.length; at + 4 <= bytes.length; ) {
    const isLast = (bytes[at]! & 0x80) !== 0;
    at += 4 + (bytes[at + 1]! << 16) + (bytes[at + 2]! << 8) + bytes[at + 3]!;
    if (!isLast) continue;
    if (at >= bytes.length) return null;
    const header = bytes.slice(at, at + FRAME_HEADER_BYTES);
    // A frame of silence can be so short that all of it is here; with a wrong checksum it is not decoded again.
    header[header.length - 1]! ^= 1;
    return header;
  }
  return null;
}

interface FlacBlock extends DecodedBlock {
  readonly bitDepth: number;
}

/** The decoder divides integers by the largest positive one; here, as in WAV, full scale is one more. */
function fromLargest({ bitDepth }: FlacBlock): (value: number) => number {
  const full = 2 ** (bitDepth - 1);
  return (value) => Math.round(value * (full - 1)) / full;
}

/**
 * Decodes a FLAC file to mono. Throws FormatError where none of it can be read or where it holds more than its
 * header promises, AudioError where it holds more than 24 hours.
 */
export async function readFlac(given: Bytes): Promise<Recording> {
  const bytes = bytesOf('readFlac', given);
  const { sampleRate, channels, promised } = readStreamInfo(bytes);
  const decoder = await loadDecoder('@wasm-audio-decoders/flac', 'Reading FLAC', async () => {
    const { FLACDecoder } = await import('@wasm-audio-decoders/flac');
    const made = idle ?? new FLACDecoder();
    idle = undefined;
    return made;
  });
  let isReset = false;
  const mono = new MonoSamples('FLAC', fromLargest);
  const requirePromise = (): void => {
    if (promised === 0 || mono.length <= promised) return;
    throw new FormatError('FLAC', `the header promises ${promised} samples, the frames hold more`);
  };
  let foundChannels = channels;
  const noted = (block: FlacBlock): FlacBlock => {
    if (block.samplesDecoded > 0) foundChannels = block.channelData.length;
    return block;
  };
  function* pieces() {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      yield async () => noted(await decoder.decode(bytes.subarray(at, at + BLOCK_BYTES)));
      requirePromise();
    }
    // The package finds the end of a frame by the header of the next one. Without one after the last frame it takes
    // pairs of bytes in its samples that look like headers for its end, and drops it.
    const next = firstFrame(bytes);
    if (next !== null) yield async () => noted(await decoder.decode(next));
    yield async () => noted(await decoder.flush());
    isReset = true;
    requirePromise();
  }
  const lent = {
    ready: decoder.ready,
    decode: (piece: Uint8Array) => decoder.decode(piece),
    free() {
      if (isReset && idle === undefined) idle = decoder;
      else decoder.free();
    },
  };
  await decodePieces('FLAC', lent, pieces(), mono);
  mono.requireSome(promised);
  const recording = mono.recording(foundChannels, promised);
  return mono.length > 0 ? recording : { ...recording, sampleRate };
}

/** Decodes FLAC that is in Ogg pages, as `readFlac` does without them. */
export async function readOggFlac(given: Bytes): Promise<Recording> {
  const bytes = bytesOf('readOggFlac', given);
  const [first, ...packets] = [...oggPages('Ogg FLAC', bytes)].flatMap(packetsOf);
  const [from, to] = [MAPPING_BYTES + MAGIC.length, MAPPING_BYTES + MAGIC.length + STREAM_INFO_BYTES];
  if (first === undefined || first.length < to) {
    throw new FormatError('Ogg FLAC', 'the first packet is cut short: it has no STREAMINFO block');
  }
  const info = new Uint8Array(first.subarray(from, to));
  // Other blocks are left out, so this one is the last.
  info[0] = 0x80;
  const frames = packets.filter((packet) => packet[0] === 0xff);
  const plain = new Blob([MAGIC, info, ...(frames as Uint8Array<ArrayBuffer>[])]);
  return readFlac(await plain.arrayBuffer());
}
