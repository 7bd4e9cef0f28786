/** Quantisers in training. */
export {
  type AverageOptions,
  type BatchUse,
  type CodebookAverages,
  followAverages,
  followCounts,
} from './averages.js';
export { codewordBits } from './bits.js';
export { drawStages, type StageDropout } from './dropout.js';
export { Quantization, type QuantizationInputs } from './quantization.js';
export { type Candidates, offerCandidates, type Revival, reviveCodewords } from './revival.js';
export { pickCodewords, searchCodewords } from './search.js';
export { codebookShape, type QuantizerShape } from './shape.js';
export {
  type CodebookUse,
  TrainableQuantizer,
  type TrainableQuantizerOptions,
} from './trainable-quantizer.js';
