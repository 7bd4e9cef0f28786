export { type ByteSource, byteSource, bytesSource, urlSource } from './byte-source.js';
export {
  type Checkpoint,
  type CheckpointValue,
  checkpointFormat,
  isStoredTensor,
  openCheckpoint,
} from './checkpoint.js';
export type { ElementType, StoredTensor } from './element-types.js';
export { type Normalizer, readNormalizer } from './normalizer.js';
export {
  openSafetensors,
  readSafetensors,
  type SafetensorsFile,
  type SafetensorsHeader,
  type TensorEntry,
} from './safetensors.js';
export { type TensorData, writeSafetensors } from './safetensors-writer.js';
export { readSentencePiece, type SentencePiece, type SentencePieceModel } from './sentencepiece.js';
