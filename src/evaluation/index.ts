/** A test set through a model: scores and bit rates, uncut and for every number of codebooks. */
export { codebooksOf, type Outcome, runRecording, type TestRecording } from './outcome.js';
export { openSubject, type Subject } from './subject.js';
export {
  type Evaluation,
  poolEvaluations,
  type RatePoint,
  type Score,
  scorePairs,
  summarize,
} from './summary.js';
