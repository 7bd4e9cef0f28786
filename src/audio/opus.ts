/**
 * Ogg Opus through the package ogg-opus-decoder, an optional peer that only this file imports, and only when such a
 * file is read. Headers and positions: RFC 7845.
 */
import { FormatError } from '../tensor/index.js';
import { type Bytes, bytesOf } from './bytes.js';
import { loadDecoder, MonoSamples } from './decoder.js';
import { oggPages, startsWith } from './ogg.js';
import { decodeOgg, headerPackets } from './ogg-stream.js';
import type { Recording } from './wav.js';

const FORMAT = 'Ogg Opus';
/** Opus counts and is decoded at this rate, whatever was recorded. */
const SAMPLE_RATE = 48_000;
const HEAD_BYTES = 19;
/** Bytes of packets that the decoder has room for, for each channel: 120 ms at 256 kbit/s. */
const MOST_CHANNEL_BYTES = 3840;

interface OpusHead {
  readonly channels: number;
  /** Samples at the beginning that only fill the decoder. */
  readonly preSkip: number;
  /** Factor on every sample. */
  readonly gain: number;
  /** The same header for the decoder: no samples to skip, no gain, which it would not apply. */
  readonly plain: Uint8Array;
}

function readHead(head: Uint8Array): OpusHead {
  if (!startsWith(head, 'OpusHead') || head.length < HEAD_BYTES) {
    throw new FormatError(FORMAT, 'the identification header is damaged or cut short');
  }
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const version = head[8]!;
  if (version >= 16) throw new FormatError(FORMAT, `version ${version} is not supported, those under 16 are`);
  const channels = head[9]!;
  const family = head[18]!;
  if (channels === 0) throw new FormatError(FORMAT, 'the header says 0 channels');
  const most = family === 0 ? 2 : family === 1 ? 8 : 255;
  if (channels > most) {
    throw new FormatError(FORMAT, `${channels} channels are more than mapping family ${family} has`);
  }
  if (family !== 0) {
    const [streams, coupled] = [head[19] ?? 0, head[20] ?? 0];
    const mapping = head.subarray(21, 21 + channels);
    const decoded = streams + coupled;
    const good = streams > 0 && coupled <= streams && decoded <= 255 && mapping.length === channels;
    if (!good || mapping.some((from) => from >= decoded && from !== 255)) {
      throw new FormatError(FORMAT, `the mapping of ${streams} streams to ${channels} channels is damaged`);
    }
  }
  const plain = new Uint8Array(head.subarray(0, family === 0 ? HEAD_BYTES : 21 + channels));
  plain[8] = 1;
  plain.fill(0, 10, 12);
  plain.fill(0, 16, 18);
  // Decibels in 1/256
  const gain = 10 ** (view.getInt16(16, true) / 256 / 20);
  return { channels, preSkip: view.getUint16(10, true), gain, plain };
}

const TAGS = Uint8Array.from([...'OpusTags'].map((c) => c.charCodeAt(0)));

/**
 * Decodes an Ogg Opus file to mono, 48,000 samples a second. Throws FormatError where none of it can be read,
 * AudioError where it holds more than 24 hours.
 */
export async function readOpus(given: Bytes): Promise<Recording> {
  const bytes = bytesOf('readOpus', given);
  const pages = oggPages(FORMAT, bytes);
  const { channels, preSkip, gain, plain } = readHead(headerPackets(FORMAT, pages, 2)[0]!);
  const decoder = await loadDecoder('ogg-opus-decoder', 'Reading Ogg Opus', async () => {
    const { OggOpusDecoder } = await import('ogg-opus-decoder');
    return new OggOpusDecoder();
  });
  const recording = await decodeOgg({
    format: FORMAT,
    decoder,
    mono: new MonoSamples(FORMAT, () => (value) => gain * value),
    channels,
    headers: [[plain], [TAGS]],
    pages,
    isAudio: ({ length }) => length > 0 && length <= MOST_CHANNEL_BYTES * channels,
    skip: preSkip,
  });
  return { ...recording, sampleRate: SAMPLE_RATE };
}
