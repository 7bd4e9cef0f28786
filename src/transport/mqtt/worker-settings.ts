/** What a worker is told, and what it tells of its work. */
import type { BrokerAddress } from './broker-url.js';
import type { Log } from './log.js';

export interface WorkerSettings {
  readonly address: BrokerAddress;
  /** The name of this worker: no two may have the same at a time, or the broker ends the first one's connection. */
  readonly id: string;
  /** Certificates that may have signed the broker's, in PEM. */
  readonly ca?: Uint8Array | undefined;
  /** First levels of every topic; default "acom". */
  readonly prefix?: string | undefined;
  /** Workers of one group share the utterances of a model; each group gets all of them. Default "acom". */
  readonly group?: string | undefined;
  /** Most utterances at hand that are not acknowledged; default 8. They are decoded one after another. */
  readonly concurrency?: number | undefined;
  /** Longest utterance that is decoded, in seconds; default 60. */
  readonly mostSeconds?: number | undefined;
  /** Whether answers have words with times, or all classes; default: text or label alone. */
  readonly details?: boolean | undefined;
  /** What the announcement says of the software. */
  readonly version?: string | undefined;
  readonly log?: Log | undefined;
  /** Whether each utterance has a line in the log. */
  readonly verbose?: boolean | undefined;
}

/** What a worker did. */
export interface WorkerCounts {
  /** Answers that the broker has, errors among them. */
  readonly answered: number;
  /** Answers that say what is wrong with an utterance. */
  readonly refused: number;
  /** Utterances that nobody waited for any more when their turn came. */
  readonly expired: number;
  /** Utterances of QoS 0 that came faster than they were decoded. */
  readonly dropped: number;
  /** Answers that the broker did not take. */
  readonly failed: number;
  /** Seconds of sound that were decoded. */
  readonly seconds: number;
}
