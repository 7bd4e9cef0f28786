/** Recordings to train on, with Node: readers, splits, decoding with a cache. */

export { LOCK_FILE, type Trust } from './checksums.js';
export { type Clip, type ClipProblem, type Dataset, DIGIT_WORDS, wordOf } from './dataset.js';
export { type DownloadOptions, downloadArchive, fetchDataset } from './download.js';
export { readEsc50 } from './esc50.js';
export { defaultCacheFolder } from './files.js';
export { readFsdd } from './fsdd.js';
export { LoadedClips, type LoadOptions, loadClips } from './load-clips.js';
export { readManifestFolder } from './manifest.js';
export { readDataset } from './read-dataset.js';
export { loadSamples } from './samples.js';
export { SOURCES, type Source } from './sources.js';
export { type Engine, HELD_OUT_VOICES } from './speakers.js';
export { BACKGROUND_NOISE, readSpeechCommands, UNKNOWN } from './speech-commands.js';
export {
  type SpeakerSplit,
  type SplitName,
  type SplitShares,
  splitByFold,
  splitBySpeaker,
  splitOf,
  withoutDuplicates,
} from './splits.js';
export { COMMAND_WORDS, synthesizeVoices, type VoicesOptions } from './voices.js';
