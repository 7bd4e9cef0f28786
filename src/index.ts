/**
 * acom: audio coding for machines. A speech or audio model is split after layer M; the device runs the first layers and
 * sends codewords, the cloud looks them up and runs the rest.
 *
 *   device:  samples -> features -> layers 1..M -> RVQ indices -> range coder -> .acom bytes
 *   cloud:   .acom bytes -> range decoder -> codewords -> layers M+1..L -> words, or a label
 */
export { configureKernels, type KernelSettings } from '../kernels/wasm/runtime.js';
export { type Recording, readRecording, readWav, resample, writeWav } from './audio/index.js';
export { truncateCodebooks } from './bitstream/index.js';
export {
  type Classification,
  type ClassifyOptions,
  type ClipClass,
  CloudClassifier,
  CloudDecoder,
  type CodecConfig,
  CodecModel,
  type DecodeOptions,
  DeviceEncoder,
  type EncodeOptions,
  type EncoderStream,
  loadCloudClassifier,
  loadCloudDecoder,
  loadCodecModel,
  loadDeviceEncoder,
  loadNetworkModel,
  type ModelSource,
  NetworkModel,
  type NetworkModelConfig,
  type Span,
  type StreamRates,
  type Transcript,
  UncutClassifier,
  type UncutClassifierStream,
  UncutRecognizer,
  type UncutStream,
  type UncutTranscript,
  type Verdict,
} from './codec/index.js';
export { type KernelChoice, useKernels, useThreads, withKernels } from './ops/index.js';
export type { ClassProbability, Word } from './tasks/index.js';
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
  UsageError,
} from './tensor/index.js';
