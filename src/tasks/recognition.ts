/** From class log-probabilities to words with times and confidences. */
import { type Tensor, UsageError } from '../tensor/index.js';
import { alignLabels, beamSearch, type CtcToken, greedyDecode } from './ctc.js';

/** A word that was heard. */
export interface Word {
  readonly word: string;
  /** Seconds from the start of the recording between which the network was sure of it. */
  readonly start: number;
  readonly end: number;
  /** From 0 to 1: the geometric mean of its probability over those frames. */
  readonly confidence: number;
}

export interface DecodingOptions {
  /** Width of a prefix-beam search; the greedy path where this is left out. */
  readonly beam?: number;
}

function tokensOf(logProbs: Tensor, { beam }: DecodingOptions): CtcToken[] {
  if (beam === undefined) return greedyDecode(logProbs);
  if (!Number.isInteger(beam) || beam < 1 || beam > 1000) {
    throw new UsageError(`beam is ${beam}; use a whole number from 1 to 1000`);
  }
  return alignLabels(logProbs, beamSearch(logProbs, { width: beam })[0]!.labels);
}

/** Decodes log-probabilities [frames, classes]; the first frame stands `offsetSeconds` into the recording. */
export function decodeWords(
  logProbs: Tensor,
  labels: readonly string[],
  frameSeconds: number,
  offsetSeconds: number,
  options: DecodingOptions = {},
): Word[] {
  const seconds = (frame: number) => Math.round((offsetSeconds + frame * frameSeconds) * 1e6) / 1e6;
  return tokensOf(logProbs, options).map(({ label, startFrame, endFrame, confidence }) => ({
    word: labels[label] ?? `<${label}>`,
    start: seconds(startFrame),
    end: seconds(endFrame),
    confidence,
  }));
}
