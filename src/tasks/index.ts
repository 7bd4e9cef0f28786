export {
  type Accuracy,
  accuracyOf,
  type ClassProbability,
  meanProbabilities,
  rankClasses,
} from './classification.js';
export {
  alignLabels,
  type BeamSearchOptions,
  BLANK,
  beamSearch,
  type CtcToken,
  greedyDecode,
  type Hypothesis,
} from './ctc.js';
export { LiveWords } from './live-words.js';
export {
  type DecodingOptions,
  decodeWords,
  textOf,
  type Vocabulary,
  type Word,
} from './recognition.js';
export { type Tally, type WordErrorRate, wordErrorRate, wordErrors, wordsOf } from './word-errors.js';
