/** What a device is told, and what it tells of its utterances. */
import type { AnswerError } from './answer.js';
import type { BrokerAddress } from './broker-url.js';

export interface DeviceSettings {
  readonly address: BrokerAddress;
  /** Fingerprint of the model that utterances are encoded with, as `coder.fingerprint`. */
  readonly fingerprint: number;
  /** The name of this device, which is a level of its topics: no two may have the same at a time. */
  readonly id: string;
  readonly ca?: Uint8Array | undefined;
  readonly prefix?: string | undefined;
  /** Seconds after which an utterance counts as unanswered; default 30. */
  readonly deadlineSeconds?: number | undefined;
  /** Seconds after which an utterance without an answer is sent again, twice as many after each time; default 8. */
  readonly retrySeconds?: number | undefined;
  /** Seconds in which the first connection must be made; default 10. */
  readonly connectSeconds?: number | undefined;
  /** Seconds after which a silent connection is probed, with 2 bytes each way; default 30. */
  readonly keepAliveSeconds?: number | undefined;
  /** Whether the topic is sent once and then as a number, where the broker takes that. Default: it is. */
  readonly topicAliases?: boolean | undefined;
  /** Whether content type and response topic go with each utterance, for brokers' rules and bridges that want them. */
  readonly describes?: boolean | undefined;
  /** Told of what does not end the connection: losses, refusals. */
  readonly onTrouble?: ((message: string) => void) | undefined;
}

/** What became of one utterance. */
export interface Reply {
  /** The answer of a worker; null where none came, or where it was an error. */
  readonly answer: Readonly<Record<string, unknown>> | null;
  /** Why there is no answer. Code ACOM_UNANSWERED: none came before the deadline. */
  readonly error: AnswerError | null;
  /** How often the utterance was published, without what the client sends again when a connection was lost. */
  readonly attempts: number;
  /** From publication to reply. */
  readonly milliseconds: number;
  /** Bytes of MQTT packets, PUBLISH and PUBACK, over all attempts so far. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface DeviceCounts {
  readonly published: number;
  readonly answered: number;
  readonly unanswered: number;
  /** Answers to what was answered already. */
  readonly duplicates: number;
  /** Messages on this device's topic that are no answers to anything it asked lately. */
  readonly strays: number;
}
