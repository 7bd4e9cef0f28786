/**
 * acom: audio coding for machines. A speech model is split after layer M; the device runs the first layers and
 * sends codewords, the cloud looks them up and runs the rest.
 *
 *   device:  samples -> log-mel -> layers 1..M -> RVQ indices -> range coder -> .acom bytes
 *   cloud:   .acom bytes -> range decoder -> codewords -> layers M+1..L -> words
 */
export { configureKernels, type KernelSettings } from '../kernels/wasm/runtime.js';
export { type Recording, readRecording, readWav, resample, writeWav } from './audio/index.js';
export { truncateCodebooks } from './bitstream/index.js';
export {
  CloudDecoder,
  type CodecConfig,
  CodecModel,
  type DecodeOptions,
  DeviceEncoder,
  type EncodeOptions,
  type EncoderStream,
  loadCloudDecoder,
  loadCodecModel,
  loadDeviceEncoder,
  type ModelSource,
  type Span,
  type StreamRates,
  type Transcript,
  UncutRecognizer,
  type UncutTranscript,
} from './codec/index.js';
export { type KernelChoice, useKernels, useThreads, withKernels } from './ops/index.js';
export type { Word } from './tasks/index.js';
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
