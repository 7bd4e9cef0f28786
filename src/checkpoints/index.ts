export { type ByteSource, byteSource, bytesSource, urlSource } from './byte-source.js';
export { type ArmKeywordNetwork, readArmKeywordNetwork } from './keyword-cnn.js';
export {
  openSafetensors,
  readSafetensors,
  type SafetensorsFile,
  type SafetensorsHeader,
  type SafetensorsType,
  type TensorData,
  type TensorEntry,
  writeSafetensors,
} from './safetensors.js';
