export {
  alignLabels,
  type BeamSearchOptions,
  BLANK,
  beamSearch,
  type CtcToken,
  greedyDecode,
  type Hypothesis,
} from './ctc.js';
export { type DecodingOptions, decodeWords, type Word } from './recognition.js';
export { type Tally, type WordErrorRate, wordErrorRate, wordErrors, wordsOf } from './word-errors.js';
