/** What every reader of recordings gives, however its authors laid their files out. */
import { AcomError, FormatError, SourceError } from '../../tensor/index.js';

/** One recording and what is known of it. */
export interface Clip {
  /** Below the folder of its dataset, with `/` between names. */
  readonly path: string;
  /** Absolute. */
  readonly file: string;
  /** What is said, word by word: digits as `zero` .. `nine`. Empty where nobody speaks. */
  readonly words: readonly string[];
  /** The class: of a keyword the word or `_unknown_` or `_silence_`, of a sound its name, of a sentence ''. */
  readonly label: string;
  /** Null where nobody speaks or where it is not known who does. */
  readonly speaker: string | null;
  /** Part of an official cross-validation. */
  readonly fold?: number;
  /** Part of an official split. */
  readonly split?: string;
  readonly sampleRate: number;
  /** Samples at `sampleRate`. */
  readonly samples: number;
  /** SHA-1 of the decoded little-endian 16-bit samples, in hexadecimal, where the dataset says it. */
  readonly sha1?: string;
}

/** A recording that cannot be used. */
export interface ClipProblem {
  readonly path: string;
  readonly error: AcomError;
}

/** The error for a file that is missing, cannot be read, or is not what it should be. */
export function clipError(file: string, cause: unknown): FormatError | SourceError {
  const isMissing = (cause as NodeJS.ErrnoException).code === 'ENOENT';
  const why = isMissing ? 'there is no such file' : cause instanceof Error ? cause.message : String(cause);
  const isDamage = typeof cause === 'string' || cause instanceof AcomError;
  return isDamage ? new FormatError(file, why) : new SourceError(`${file}: ${why}`, cause, isMissing);
}

/** Recordings of one folder. */
export interface Dataset {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  /** In the order of the manifest, or of the paths where there is none. */
  readonly clips: readonly Clip[];
  /** Recordings that are not among the clips because they are missing or damaged. */
  readonly problems: readonly ClipProblem[];
}

/** The digits as words, by their value. */
export const DIGIT_WORDS = [
  'zero',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
] as const;

/** The word that a label stands for: `7` and `seven` are both `seven`. */
export const wordOf = (label: string): string => (/^\d$/.test(label) ? DIGIT_WORDS[Number(label)]! : label);
