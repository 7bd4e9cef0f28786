/** What a worker makes of one utterance: JSON in, whatever came. Nothing here knows a broker. */
import { looksLikeStream, parseHeader } from '../../bitstream/header.js';
import type { Classification, CloudClassifier, CloudDecoder, Transcript } from '../../codec/index.js';
import { AcomError, FormatError, UsageError } from '../../tensor/index.js';

/** Most bytes of an utterance: at 200 bit/s, three quarters of an hour. */
export const MOST_UTTERANCE_BYTES = 1 << 16;
/** What an utterance says that it is, where it says so. */
export const UTTERANCE_TYPE = 'application/vnd.acom';
export const ANSWER_TYPE = 'application/json';

export interface AnswerError {
  /** As of AcomError; ACOM_INTERNAL where something else failed. */
  readonly code: string;
  readonly message: string;
}

/** An answer: of a recogniser, of a classifier, or an error. */
export type Answer =
  | ({ readonly text: string; readonly words?: Transcript['words'] } & Damage)
  | ({
      readonly label: string | null;
      readonly confidence: number;
      readonly classes?: Classification['classes'];
      readonly clips?: Classification['clips'];
    } & Damage)
  | { readonly error: AnswerError };

/** Left out where all of an utterance arrived. */
interface Damage {
  readonly missing?: Transcript['missing'];
  readonly warnings?: readonly string[];
}

export interface AnswerLimits {
  /** Longest utterance that is decoded, in seconds. */
  readonly mostSeconds: number;
  /** Whether words with times, or all classes and clips, go into the answer: a device seldom needs them. */
  readonly details: boolean;
}

/** An answer and what the worker's log says about it. */
export interface Answered {
  readonly answer: Answer;
  /** Seconds of sound. */
  readonly seconds: number;
  /** What went wrong that is nobody's input's fault. */
  readonly fault?: unknown;
}

const damageOf = ({ missing, warnings }: Transcript | Classification): Damage => ({
  ...(missing.length === 0 ? {} : { missing }),
  ...(warnings.length === 0 ? {} : { warnings }),
});

/** Three digits are enough for a probability on a radio link. */
const short = (confidence: number): number => Math.round(1000 * confidence) / 1000;

function decoded(half: CloudDecoder | CloudClassifier, bytes: Uint8Array, details: boolean): Answer {
  if ('classify' in half) {
    const result = half.classify(bytes);
    const { label, confidence, classes, clips } = result;
    return {
      label,
      confidence: short(confidence),
      ...(details ? { classes, clips } : {}),
      ...damageOf(result),
    };
  }
  const result = half.decode(bytes);
  return { text: result.text, ...(details ? { words: result.words } : {}), ...damageOf(result) };
}

/** Throws for utterances that would take longer than they may. Reads nothing but the header. */
function secondsOf(half: CloudDecoder | CloudClassifier, bytes: Uint8Array, mostSeconds: number): number {
  if (bytes.length > MOST_UTTERANCE_BYTES) {
    throw new UsageError(
      `an utterance of ${bytes.length} bytes; at most ${MOST_UTTERANCE_BYTES} are taken: send a long recording in pieces`,
    );
  }
  if (!looksLikeStream(bytes)) {
    throw new FormatError(
      '.acom stream',
      `these ${bytes.length} bytes are no .acom stream: the first is not 0xAC`,
    );
  }
  const { header } = parseHeader(bytes);
  // Of another model the number of samples means nothing: reading it further says so.
  if (header.fingerprint !== half.coder.fingerprint) return 0;
  const seconds = half.coder.timing.seconds(header.samples);
  if (seconds > mostSeconds) {
    throw new UsageError(
      `an utterance of ${Math.round(seconds)} s; at most ${mostSeconds} s are taken: send a long recording in pieces`,
    );
  }
  return seconds;
}

/** Answers an utterance, whatever its bytes are. Never throws. */
export function answerTo(
  half: CloudDecoder | CloudClassifier,
  bytes: Uint8Array,
  { mostSeconds, details }: AnswerLimits,
): Answered {
  let seconds = 0;
  try {
    seconds = secondsOf(half, bytes, mostSeconds);
    return { answer: decoded(half, bytes, details), seconds };
  } catch (fault) {
    if (fault instanceof AcomError) return { answer: errorOf(fault), seconds };
    const message = 'the worker failed at this utterance; its log says why';
    return { answer: { error: { code: 'ACOM_INTERNAL', message } }, seconds, fault };
  }
}

export const errorOf = ({ code, message }: AcomError): Answer => ({ error: { code, message } });

/** Reads an answer that came from a worker, or from whoever may publish there. Throws FormatError for what is none. */
export function parseAnswer(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new FormatError('answer', `these ${bytes.length} bytes are no JSON`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FormatError('answer', 'this is no JSON object');
  }
  return value as Readonly<Record<string, unknown>>;
}

/** The error of an answer; null where there is none. */
export function errorIn(answer: Readonly<Record<string, unknown>>): AnswerError | null {
  const { error } = answer;
  if (error === undefined) return null;
  const { code, message } = (error ?? {}) as Record<string, unknown>;
  return {
    code: typeof code === 'string' ? code : 'ACOM_UNKNOWN',
    message: typeof message === 'string' ? message : 'the answer says that it is an error, and not which',
  };
}
