/** What the main thread and a worker say to each other. */
import type { FileOptions, ModelFacts } from './engine.js';
import type { ErrorFacts } from './errors.js';
import type { Limits } from './settings.js';

/** What a worker is started with. */
export interface WorkerStart {
  /** URL of a module that exports `createEngine`. */
  readonly url: string;
  readonly options: unknown;
}

/** What bounds live streams by the sound in them, which bytes do not say: silence of a minute is ten of them. */
export type AudioLimits = Pick<Limits, 'audioPerSecond' | 'audioBurst'>;

/**
 * What is to be done for a stream: its first message, a later one, or its end: because the client wants it (`final`) or
 * because the server ends (`closing`).
 */
export type LiveOperation = 'open' | 'packet' | 'final' | 'closing';

export interface LiveEntry {
  readonly stream: number;
  readonly operation: LiveOperation;
  /** Bytes of the message; they lie one after another in the request's `bytes`. */
  readonly length: number;
}

/**
 * To a worker. There is at most one request of each kind under way, and in a `live` request at most one entry of each
 * stream.
 */
export type WorkerRequest =
  | {
      readonly kind: 'file';
      readonly bytes: Uint8Array;
      readonly options: FileOptions;
      readonly limitSeconds: number;
    }
  | {
      readonly kind: 'live';
      readonly entries: readonly LiveEntry[];
      readonly bytes: ArrayBuffer;
      /** Streams that are gone; there is no answer about them. */
      readonly dropped: readonly number[];
    };

/** What came of an entry. */
export interface LiveAnswer {
  /** Texts for the client, in order. */
  readonly messages: readonly string[];
  /** Whether the stream is over, and came to its end. */
  readonly done: boolean;
  /** Why the stream is over, where it failed. */
  readonly error: ErrorFacts | null;
}

/** From a worker. `seconds` is how long the work took. */
export type WorkerReply =
  | { readonly kind: 'ready'; readonly model: ModelFacts }
  /** It can't be had: the model can't be loaded. */
  | { readonly kind: 'unfit'; readonly error: ErrorFacts }
  /** The result of a file as JSON. */
  | { readonly kind: 'file'; readonly json: string; readonly seconds: number }
  | { readonly kind: 'failed'; readonly error: ErrorFacts; readonly seconds: number }
  /** An answer for each entry. */
  | { readonly kind: 'live'; readonly answers: readonly LiveAnswer[]; readonly seconds: number }
  /** Something that is a mistake of ours and that a client is told nothing of. */
  | { readonly kind: 'trouble'; readonly stack: string };
