/** Published models as networks of ours: name maps, front ends, labels, and a strict report of what did not fit. */
export { importArmKeywords, type KeywordImportOptions } from './arm-keywords.js';
export { type ArmKeywordNetwork, readArmKeywordNetwork } from './arm-network.js';
export { filesOf, type OpenFile } from './files.js';
export type { ImportedNetwork } from './network.js';
export { ImportError, type ImportReport, type WrongShape } from './report.js';
export { type Cnn14ImportOptions, importSpeechBrainCnn14 } from './speechbrain-cnn14.js';
export { type ConformerImportOptions, importSpeechBrainConformer } from './speechbrain-conformer.js';
export {
  type ImportedEncoder,
  importTorchaudioConformer,
  isEncoder,
  loadTorchaudioConformer,
  parseEncoder,
  type TorchaudioImportOptions,
} from './torchaudio-conformer.js';
