/** Why the server refuses: every code with its HTTP status and its WebSocket close code. */
import { AcomError } from '../../tensor/index.js';

/** An error as it goes to a client or from one thread to another. */
export interface ErrorFacts {
  readonly code: string;
  readonly message: string;
}

/** HTTP status, and close code of a stream; codes of the codec's own errors are here too. */
const ANSWERS: Readonly<Record<string, readonly [status: number, close: number]>> = {
  ACOM_FORMAT: [400, 1007],
  ACOM_CORRUPT: [422, 1007],
  ACOM_MODEL_MISMATCH: [422, 1008],
  ACOM_USAGE: [400, 1008],
  /** No token, or one that is not known. */
  ACOM_UNAUTHORIZED: [401, 1008],
  /** A page of somebody else's asks a server that needs no token. */
  ACOM_FORBIDDEN: [403, 1008],
  ACOM_NOT_FOUND: [404, 1008],
  /** A body, a message or a recording that is larger than allowed. */
  ACOM_TOO_LARGE: [413, 1009],
  ACOM_MEDIA_TYPE: [415, 1008],
  /** A request that must be a WebSocket's. */
  ACOM_UPGRADE: [426, 1008],
  /** More a second than allowed. */
  ACOM_RATE: [429, 1008],
  /** More at once than allowed. */
  ACOM_TOO_MANY: [429, 1008],
  /** Messages in an order or of a kind that the protocol has not. */
  ACOM_PROTOCOL: [400, 1008],
  /** Nothing came for too long. */
  ACOM_IDLE: [408, 1008],
  /** A stream that went on for longer than allowed. */
  ACOM_TOO_LONG: [413, 1008],
  /** A client that does not read what it is sent. */
  ACOM_SLOW_READER: [503, 1013],
  ACOM_BUSY: [503, 1013],
  ACOM_CLOSING: [503, 1001],
  /** A job took longer than allowed. */
  ACOM_TIME_LIMIT: [504, 1011],
  /** The worker that had the job or the stream ended. */
  ACOM_WORKER: [500, 1011],
  ACOM_INTERNAL: [500, 1011],
};

export const ERROR_CODES: readonly string[] = Object.keys(ANSWERS);

export const statusOf = (code: string): number => (ANSWERS[code] ?? ANSWERS['ACOM_INTERNAL']!)[0];
export const closeCodeOf = (code: string): number => (ANSWERS[code] ?? ANSWERS['ACOM_INTERNAL']!)[1];

/** A request or stream that the server does not serve. */
export class RefusalError extends AcomError {
  constructor(
    code: string,
    message: string,
    /** For how long asking again is of no use, where that is known. */
    readonly retrySeconds?: number,
  ) {
    super(code, message);
  }

  get status(): number {
    return statusOf(this.code);
  }
}

/** An error that came from another thread. */
export const refusalOf = ({ code, message }: ErrorFacts): RefusalError => new RefusalError(code, message);

/** What a client may know of an error: all of an AcomError, nothing of others. */
export function factsOf(error: unknown): ErrorFacts {
  if (error instanceof AcomError) return { code: error.code, message: error.message };
  return { code: 'ACOM_INTERNAL', message: 'the server failed at this; its log says why' };
}
