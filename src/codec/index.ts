export {
  CloudDecoder,
  type DecodeOptions,
  type Span,
  type Transcript,
} from './cloud-decoder.js';
export { type CodecConfig, parseConfig, type QuantizerConfig } from './config.js';
export { DeviceEncoder, type EncodeOptions, type EncoderStream } from './device-encoder.js';
export { CodecModel, loadCodecModel } from './load.js';
export { loadCloudDecoder } from './load-cloud.js';
export { loadDeviceEncoder } from './load-device.js';
export { CODEBOOKS, FREQUENCIES, roleOf, writeCodecModel } from './model-file.js';
export type { ModelSource } from './open-model.js';
export { type PackOptions, packExportedNetwork } from './pack.js';
export { StreamCoder, type StreamIndices, type StreamRates } from './stream-coder.js';
export { MOST_SECONDS, Timing } from './timing.js';
export { UncutRecognizer, type UncutStream, type UncutTranscript } from './uncut.js';
