/** Scores and bit rates of a test set. */
import { isCodec, macsOf } from '../codec/index.js';
import { entropyOfCounts } from '../quantizer/usage.js';
import { accuracyOf, wordErrorRate, wordErrors, wordsOf } from '../tasks/index.js';
import { UsageError } from '../tensor/index.js';
import type { Outcome } from './outcome.js';
import type { Subject } from './subject.js';

/** Word errors of a recogniser, or right labels of a classifier. */
export interface Score {
  /** Words that were wrong, or recordings that were labelled right. */
  readonly count: number;
  /** Words that were said, or recordings. */
  readonly total: number;
  /** count / total. */
  readonly rate: number;
  /** 95 % interval of the rate: of word errors over resampled utterances, of accuracy by Wilson's score. */
  readonly interval: readonly [number, number];
}

/** One row of the result: the first k codebooks of every stream. */
export interface RatePoint extends Score {
  readonly k: number;
  readonly rawBitRate: number;
  /** Order-0 entropy of the indices that these recordings gave. */
  readonly entropyBitRate: number;
  /** Every byte of every file. */
  readonly codedBitRate: number;
}

export interface Evaluation {
  readonly task: 'recognition' | 'classification';
  readonly metric: 'word error rate' | 'accuracy';
  readonly model: string;
  readonly recordings: number;
  readonly seconds: number;
  /** The network without split and quantiser. */
  readonly continuous: Score;
  /** Of a network without codebooks there is none. */
  readonly points: readonly RatePoint[];
  /** Multiply-adds for a second of these recordings. */
  readonly deviceMacs: number;
  readonly cloudMacs: number;
  /** Times faster than real time, on this machine. */
  readonly deviceSpeed: number;
  readonly cloudSpeed: number;
}

/** Score of what was heard where something was said: words that are wrong, or labels that are right. */
export function scorePairs(
  pairs: readonly { readonly said: string; readonly heard: string }[],
  task: Evaluation['task'],
): Score {
  if (task === 'classification') {
    const right = pairs.filter(({ said, heard }) => said === heard).length;
    const { rate, interval } = accuracyOf(right, pairs.length);
    return { count: right, total: pairs.length, rate, interval };
  }
  const tallies = pairs.map(({ said, heard }) => {
    const words = wordsOf(said);
    return { words: words.length, errors: wordErrors(words, wordsOf(heard)) };
  });
  const { errors, words, rate, interval } = wordErrorRate(tallies);
  return { count: errors, total: words, rate, interval };
}

const scoreOf = (
  outcomes: readonly Outcome[],
  heard: (outcome: Outcome) => string,
  task: Evaluation['task'],
): Score =>
  scorePairs(
    outcomes.map((outcome) => ({ said: outcome.said, heard: heard(outcome) })),
    task,
  );

/** Bits of the indices of stage `stage` of `stages` by their own order-0 entropy. */
function entropyBits(outcomes: readonly Outcome[], stage: number, stages: number, codewords: number): number {
  const counts = new Int32Array(codewords);
  let vectors = 0;
  for (const { indices } of outcomes) {
    for (let i = stage; i < indices.length; i += stages) {
      counts[indices[i]!]!++;
      vectors++;
    }
  }
  return vectors === 0 ? 0 : vectors * entropyOfCounts(counts);
}

export function summarize(outcomes: readonly Outcome[], { config }: Subject): Evaluation {
  const { task } = config;
  const total = (value: (outcome: Outcome) => number) =>
    outcomes.reduce((sum, outcome) => sum + value(outcome), 0);
  const duration = total(({ seconds }) => seconds);
  const perSecond = (amount: number) => (duration === 0 ? 0 : amount / duration);
  const {
    codebooks,
    codewords,
    groups = 1,
  } = isCodec(config) ? config.quantizer : { codebooks: 0, codewords: 1 };
  const indices = total((outcome) => outcome.indices.length);
  let entropy = 0;
  const points = Array.from({ length: codebooks }, (_, n): RatePoint => {
    for (let g = 0; g < groups; g++) {
      entropy += entropyBits(outcomes, n * groups + g, codebooks * groups, codewords);
    }
    return {
      k: n + 1,
      ...scoreOf(outcomes, ({ heard }) => heard[n]!, task),
      rawBitRate: perSecond(((indices * (n + 1)) / codebooks) * Math.log2(codewords)),
      entropyBitRate: perSecond(entropy),
      codedBitRate: perSecond(8 * total(({ bytes }) => bytes[n]!)),
    };
  });
  const macs = outcomes.map(({ seconds }) =>
    macsOf(config, Math.round(seconds * config.frontEnd.sampleRate)),
  );
  const speed = (milliseconds: number) => (milliseconds === 0 ? 0 : (1000 * duration) / milliseconds);
  return {
    task,
    metric: task === 'recognition' ? 'word error rate' : 'accuracy',
    model: config.name,
    recordings: outcomes.length,
    seconds: duration,
    continuous: scoreOf(outcomes, ({ heardUncut }) => heardUncut, task),
    points,
    deviceMacs: perSecond(macs.reduce((sum, { device }) => sum + device, 0)),
    cloudMacs: perSecond(macs.reduce((sum, { cloud }) => sum + cloud, 0)),
    deviceSpeed: speed(total(({ deviceMilliseconds }) => deviceMilliseconds)),
    cloudSpeed: speed(total(({ cloudMilliseconds }) => cloudMilliseconds)),
  };
}

/**
 * One evaluation from several classifiers of the same kind, each on recordings of its own (folds of a cross-validation): counts
 * are added, rates are of all recordings. Throws UsageError for none, and for several recognisers.
 */
export function poolEvaluations(parts: readonly Evaluation[]): Evaluation {
  const [first, ...others] = parts;
  if (first === undefined) throw new UsageError('evaluations: there are none to pool');
  if (others.length === 0) return first;
  if (first.task !== 'classification') {
    throw new UsageError('evaluations: intervals of word errors are of whole test sets and cannot be pooled');
  }
  const total = (of: (part: Evaluation) => number): number => parts.reduce((sum, part) => sum + of(part), 0);
  const seconds = total((part) => part.seconds);
  /** Of what is counted for a second. */
  const mean = (of: (part: Evaluation) => number): number =>
    seconds === 0 ? 0 : total((part) => of(part) * part.seconds) / seconds;
  /** Times faster than real time: of all seconds in the time that all took. */
  const speed = (of: (part: Evaluation) => number): number => {
    const taken = total((part) => (of(part) === 0 ? 0 : part.seconds / of(part)));
    return taken === 0 ? 0 : seconds / taken;
  };
  const scored = (of: (part: Evaluation) => Score): Score => {
    const [count, all] = [total((part) => of(part).count), total((part) => of(part).total)];
    return { count, ...accuracyOf(count, all) };
  };
  return {
    ...first,
    recordings: total((part) => part.recordings),
    seconds,
    continuous: scored((part) => part.continuous),
    points: first.points.map(({ k }, n) => ({
      k,
      ...scored((part) => part.points[n]!),
      rawBitRate: mean((part) => part.points[n]!.rawBitRate),
      entropyBitRate: mean((part) => part.points[n]!.entropyBitRate),
      codedBitRate: mean((part) => part.points[n]!.codedBitRate),
    })),
    deviceMacs: mean((part) => part.deviceMacs),
    cloudMacs: mean((part) => part.cloudMacs),
    deviceSpeed: speed((part) => part.deviceSpeed),
    cloudSpeed: speed((part) => part.cloudSpeed),
  };
}
