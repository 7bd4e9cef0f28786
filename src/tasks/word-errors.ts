/** Word errors of a recogniser and how sure they are. */
import { createRandom } from '../tensor/index.js';

/** Words substituted, deleted and inserted at least to turn `said` into `heard` (Levenshtein 1966). */
export function wordErrors(said: readonly string[], heard: readonly string[]): number {
  let previous = Array.from({ length: heard.length + 1 }, (_, j) => j);
  for (let i = 1; i <= said.length; i++) {
    const row = [i];
    for (let j = 1; j <= heard.length; j++) {
      const substituted = previous[j - 1]! + (said[i - 1] === heard[j - 1] ? 0 : 1);
      row.push(Math.min(substituted, previous[j]! + 1, row[j - 1]! + 1));
    }
    previous = row;
  }
  return previous[heard.length]!;
}

/** Words of a transcript: lower case, split at white space. */
export const wordsOf = (transcript: string): string[] =>
  transcript
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');

/** One utterance's share of a word error rate. */
export interface Tally {
  readonly words: number;
  readonly errors: number;
}

export interface WordErrorRate {
  readonly words: number;
  readonly errors: number;
  /** errors / words; 0 where there are no words. */
  readonly rate: number;
  /** 95 % interval of the rate over resampled utterances. */
  readonly interval: readonly [number, number];
}

const RESAMPLES = 1000;

const rateOf = (errors: number, words: number) => (words === 0 ? 0 : errors / words);

/**
 * The rate with a bootstrap interval (Bisani and Ney 2004): utterances are drawn with replacement, because
 * the errors within one are not independent. Seeded, so that the same tallies give the same interval.
 */
export function wordErrorRate(tallies: readonly Tally[]): WordErrorRate {
  const words = tallies.reduce((sum, tally) => sum + tally.words, 0);
  const errors = tallies.reduce((sum, tally) => sum + tally.errors, 0);
  const random = createRandom(1);
  const rates = Array.from({ length: tallies.length === 0 ? 1 : RESAMPLES }, () => {
    let [w, e] = [0, 0];
    for (let i = 0; i < tallies.length; i++) {
      const drawn = tallies[Math.floor(random() * tallies.length)]!;
      w += drawn.words;
      e += drawn.errors;
    }
    return rateOf(e, w);
  }).sort((a, b) => a - b);
  const quantile = (q: number) => rates[Math.min(rates.length - 1, Math.floor(q * rates.length))]!;
  return { words, errors, rate: rateOf(errors, words), interval: [quantile(0.025), quantile(0.975)] };
}
