/** What makes models: so far, codebooks for networks that somebody else trained. */
export { CodecFitter, type FitCodecOptions, fitCodec } from './fit-codec.js';
