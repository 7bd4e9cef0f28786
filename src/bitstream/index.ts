export { crc16, crc32 } from './crc.js';
export {
  CODINGS,
  type Coding,
  encodeHeader,
  looksLikeStream,
  MOST_CODEBOOKS,
  MOST_SAMPLES,
  parseHeader,
  type StreamHeader,
  VERSION,
} from './header.js';
export {
  encodeLivePacket,
  encodeOpening,
  type LiveHeader,
  type LivePacket,
  parseLivePacket,
  parseOpening,
} from './live.js';
export { type Packet, readStream, type StreamContent, writeStream } from './stream.js';
