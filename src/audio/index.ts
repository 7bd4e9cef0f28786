export type { Bytes } from './bytes.js';
export { type FeatureStatistics, floorFeatures, normalizeBySentence, normalizeGlobally } from './features.js';
export { looksLikeFlac, readFlac, readOggFlac } from './flac.js';
export { FloatQueue } from './float-queue.js';
export {
  type AnyFrontEnd,
  checkAnyFrontEnd,
  frontEndFeatures,
  frontEndFrames,
  isMfcc,
} from './front-end.js';
export { checkFrontEnd, type FrontEndConfig, frameCount, LogMel, type LogMelStream } from './log-mel.js';
export { hammingWindow, hertzToMel, type MelFilters, melFilters, melToHertz } from './mel.js';
export { checkMfcc, Mfcc, type MfccConfig, mfccFrameCount } from './mfcc.js';
export { looksLikeMp3, readMp3 } from './mp3.js';
export { readOpus } from './opus.js';
export { type RecordingFormat, readRecording, recordingFormat } from './recording.js';
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
export { readVorbis } from './vorbis.js';
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
