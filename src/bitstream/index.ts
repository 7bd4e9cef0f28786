export { crc16, crc32 } from './crc.js';
export {
  encodeHeader,
  looksLikeStream,
  MOST_CODEBOOKS,
  MOST_SAMPLES,
  parseHeader,
  type StreamHeader,
  VERSION,
} from './header.js';
export { type Packet, readStream, type StreamContent, truncateCodebooks, writeStream } from './stream.js';
