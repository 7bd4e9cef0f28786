/**
 * acom: audio coding for machines. A speech or audio model is split after layer M; the device runs the first layers and
 * sends codewords, the cloud looks them up and runs the rest.
 *
 *   device:  samples -> features -> layers 1..M -> RVQ indices -> range coder -> .acom bytes
 *   cloud:   .acom bytes -> range decoder -> codewords -> layers M+1..L -> words, or a label
 */
export { configureKernels, type KernelSettings } from '../kernels/wasm/runtime.js';
export { readRecording } from './audio/recording.js';
export { resample } from './audio/resample.js';
export { type Recording, readWav, writeWav } from './audio/wav.js';
export { CODINGS, type Coding } from './bitstream/header.js';
export {
  type Classification,
  type ClassifyOptions,
  type ClipClass,
  CloudClassifier,
  type Verdict,
} from './codec/cloud-classifier.js';
export { CloudDecoder, type DecodeOptions, type Span, type Transcript } from './codec/cloud-decoder.js';
export type { CodecConfig, NetworkModelConfig } from './codec/config.js';
export { DeviceEncoder, type EncodeOptions, type EncoderStream } from './codec/device-encoder.js';
export {
  CONCEALMENTS,
  type Concealment,
  type LiveDecodeOptions,
  LiveDecoder,
  LiveDecoding,
  type LiveUpdate,
} from './codec/live-decoder.js';
export { CodecModel, loadCodecModel, loadNetworkModel, NetworkModel } from './codec/load.js';
export { loadCloudClassifier } from './codec/load-classifier.js';
export { loadCloudDecoder } from './codec/load-cloud.js';
export { loadDeviceEncoder } from './codec/load-device.js';
export type { ModelSource } from './codec/open-model.js';
export type { StreamRates } from './codec/stream-coder.js';
export { type LiveOptions, StreamingDeviceEncoder } from './codec/streaming-encoder.js';
export { UncutRecognizer, type UncutStream, type UncutTranscript } from './codec/uncut.js';
export { UncutClassifier, type UncutClassifierStream } from './codec/uncut-classifier.js';
export { type KernelChoice, useKernels, useThreads, withKernels } from './ops/dispatch.js';
export type { ClassProbability } from './tasks/classification.js';
export type { Word } from './tasks/recognition.js';
export {
  AcomError,
  AudioError,
  CorruptStreamError,
  FormatError,
  KernelError,
  KernelMemoryError,
  MissingPackageError,
  ModelError,
  ModelMismatchError,
  ShapeError,
  SourceError,
  TrainingError,
  UsageError,
} from './tensor/index.js';
