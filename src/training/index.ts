/** What makes models: so far, codebooks for networks that somebody else trained. */
export {
  CodecExporter,
  exportCodec,
  type TrainedCodec,
} from './export.js';
export { CodecFitter, type FitCodecOptions, fitCodec } from './fit-codec.js';
