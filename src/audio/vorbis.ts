/**
 * Ogg Vorbis through the package @wasm-audio-decoders/ogg-vorbis, an optional peer that only this file imports, and
 * only when such a file is read. Headers: Vorbis I specification, section 4.2.
 */
import { FormatError } from '../tensor/index.js';
import { type Bytes, bytesOf } from './bytes.js';
import { loadDecoder, MonoSamples } from './decoder.js';
import { oggPages, startsWith } from './ogg.js';
import { decodeOgg, fitPage, headerPackets } from './ogg-stream.js';
import type { Recording } from './wav.js';

const FORMAT = 'Ogg Vorbis';
const IDENTIFICATION_BYTES = 30;
/** A comment header that says nothing: the file's may hold pictures. */
const NO_COMMENTS = Uint8Array.from(
  [3, ...'vorbis'].map((c) => (typeof c === 'string' ? c.charCodeAt(0) : c)),
);

/** Samples a second and channels, of headers that a decoder can begin with. */
function readHeaders(identification: Uint8Array, setup: Uint8Array) {
  if (!startsWith(identification, '\x01vorbis') || identification.length < IDENTIFICATION_BYTES) {
    throw new FormatError(FORMAT, 'the identification header is damaged or cut short');
  }
  const view = new DataView(identification.buffer, identification.byteOffset, IDENTIFICATION_BYTES);
  const version = view.getUint32(7, true);
  const channels = view.getUint8(11);
  const sampleRate = view.getUint32(12, true);
  if (version !== 0) throw new FormatError(FORMAT, `version ${version} is not supported, 0 is`);
  if (channels === 0) throw new FormatError(FORMAT, 'the header says 0 channels');
  if (sampleRate === 0) throw new FormatError(FORMAT, 'the header says 0 samples a second');
  const blocks = view.getUint8(28);
  const [short, long] = [blocks & 15, blocks >> 4];
  if (short < 6 || long > 13 || short > long) {
    throw new FormatError(FORMAT, `blocks of 2^${short} and 2^${long} samples are no Vorbis`);
  }
  if (!startsWith(setup, '\x05vorbis')) throw new FormatError(FORMAT, 'there is no setup header');
  if (!fitPage([NO_COMMENTS, setup])) {
    throw new FormatError(FORMAT, `a setup header of ${setup.length} bytes is more than is read`);
  }
  return { channels, sampleRate };
}

/**
 * Decodes an Ogg Vorbis file to mono. Throws FormatError where none of it can be read, AudioError where it holds more
 * than 24 hours.
 */
export async function readVorbis(given: Bytes): Promise<Recording> {
  const bytes = bytesOf('readVorbis', given);
  const pages = oggPages(FORMAT, bytes);
  const [identification, , setup] = headerPackets(FORMAT, pages, 3) as [Uint8Array, Uint8Array, Uint8Array];
  const { channels, sampleRate } = readHeaders(identification, setup);
  const decoder = await loadDecoder('@wasm-audio-decoders/ogg-vorbis', 'Reading Ogg Vorbis', async () => {
    const { OggVorbisDecoder } = await import('@wasm-audio-decoders/ogg-vorbis');
    return new OggVorbisDecoder();
  });
  const recording = await decodeOgg({
    format: FORMAT,
    decoder,
    mono: new MonoSamples(FORMAT),
    channels,
    headers: [[identification.subarray(0, IDENTIFICATION_BYTES)], [NO_COMMENTS, setup]],
    pages,
    isAudio: (packet) => packet.length > 0 && (packet[0]! & 1) === 0,
    skip: 0,
  });
  return { ...recording, sampleRate };
}
