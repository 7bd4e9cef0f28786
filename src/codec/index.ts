export { ClipTiming } from './clip-timing.js';
export {
  type Classification,
  type ClassifyOptions,
  type ClipClass,
  CloudClassifier,
  type Verdict,
} from './cloud-classifier.js';
export {
  CloudDecoder,
  type DecodeOptions,
  type Span,
  type Transcript,
} from './cloud-decoder.js';
export { Codings } from './codings.js';
export {
  type CodecConfig,
  isCodec,
  type NetworkModelConfig,
  parseConfig,
  type QuantizerConfig,
  recognizerOf,
  type Task,
} from './config.js';
export { DeviceEncoder, type EncodeOptions, type EncoderStream } from './device-encoder.js';
export { contextTablesOf, contextTensors, entropyTables } from './entropy-tensors.js';
export {
  CONCEALMENTS,
  type Concealment,
  type LiveDecodeOptions,
  LiveDecoder,
  LiveDecoding,
  type LiveUpdate,
} from './live-decoder.js';
export { CodecModel, loadCodecModel, loadNetworkModel, NetworkModel } from './load.js';
export { loadCloudClassifier } from './load-classifier.js';
export { loadCloudDecoder } from './load-cloud.js';
export { deviceNetworkFrom, loadDeviceEncoder } from './load-device.js';
export { macsOf } from './macs.js';
export {
  CODEBOOKS,
  DECODE,
  dataOf,
  ENCODE,
  FEATURE_DEVIATION,
  FEATURE_MEAN,
  FREQUENCIES,
  isEntropyTensor,
  roleOf,
  writeModel,
} from './model-file.js';
export { type ModelSource, OpenModel, openModel } from './open-model.js';
export { type PackOptions, packExportedNetwork } from './pack.js';
export type { DeviceNetwork, OnSteps, StepStream } from './step-stream.js';
export { StreamCoder, type StreamIndices, type StreamRates, type WriteSettings } from './stream-coder.js';
export { type LiveOptions, StreamingDeviceEncoder } from './streaming-encoder.js';
export { MOST_SECONDS, type Timing } from './timing.js';
export { timingOf } from './timing-of.js';
export { UncutRecognizer, type UncutStream, type UncutTranscript } from './uncut.js';
export { UncutClassifier, type UncutClassifierStream } from './uncut-classifier.js';
export { VectorLayout } from './vector-layout.js';
