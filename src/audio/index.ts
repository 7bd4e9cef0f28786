export type { Bytes } from './bytes.js';
export { type FeatureStatistics, floorFeatures, normalizeBySentence, normalizeGlobally } from './features.js';
export { looksLikeFlac, readFlac } from './flac.js';
export { FloatQueue } from './float-queue.js';
export { checkFrontEnd, type FrontEndConfig, frameCount, LogMel, type LogMelStream } from './log-mel.js';
export { hammingWindow, hertzToMel, type MelFilters, melFilters, melToHertz } from './mel.js';
export { checkMfcc, Mfcc, type MfccConfig } from './mfcc.js';
export { readRecording } from './recording.js';
export {
  createResampler,
  HIGHEST_SAMPLE_RATE,
  LOWEST_SAMPLE_RATE,
  type ResamplerStream,
  requireSampleRate,
  resample,
} from './resample.js';
export {
  createStft,
  type Spectrum,
  type StftConfig,
  type StftStream,
  shortTimeFourierTransform,
} from './stft.js';
export {
  bytesAccess,
  decodeWavFrames,
  locateWavSamples,
  type RandomAccess,
  type Recording,
  readWav,
  type WavLayout,
  type WavOptions,
  writeWav,
} from './wav.js';
