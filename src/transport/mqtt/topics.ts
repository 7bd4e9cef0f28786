/**
 * Names of topics, all under a prefix:
 *
 *   <prefix>/<fingerprint>/in/<device>    utterances to the workers of a model
 *   <prefix>/<fingerprint>/out/<device>   their answers
 *   <prefix>/models/<fingerprint>         what the model is, retained
 *   <prefix>/workers/<worker>             whether a worker is there, retained
 *
 * The device is in the topic, so that a broker's access rules can keep devices apart, and so that an answer's topic
 * need not be sent with each utterance.
 */
import { UsageError } from '../../tensor/index.js';

export const DEFAULT_PREFIX = 'acom';
export const DEFAULT_GROUP = 'acom';
/** Most bytes of a name that is one level of a topic. */
const MOST_NAME_BYTES = 128;

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Whether a level or several may stand in a topic: no wildcards, no control characters. */
const isPlain = (text: string): boolean =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  text !== '' && !/[+#\u0000-\u001f\u007f]/.test(text) && utf8(text).length <= MOST_NAME_BYTES;

/** A name that is one level of a topic. Throws UsageError where it can't be. */
export function requireName(what: string, name: string): string {
  if (isPlain(name) && !/[/$]/.test(name)) return name;
  throw new UsageError(
    `${what} is ${JSON.stringify(name)}: use 1 to ${MOST_NAME_BYTES} bytes without / + # $ and control characters`,
  );
}

/** The topics of one model. */
export class Topics {
  readonly prefix: string;

  /** Throws UsageError for a prefix that is none. `fingerprint`: eight hexadecimal digits. */
  constructor(
    readonly fingerprint: string,
    prefix: string = DEFAULT_PREFIX,
  ) {
    if (!isPlain(prefix) || /^[$/]|\/$/.test(prefix)) {
      throw new UsageError(
        `prefix is ${JSON.stringify(prefix)}: use 1 to ${MOST_NAME_BYTES} bytes without + and #, which neither begin with $ or / nor ` +
          'end with /',
      );
    }
    this.prefix = prefix;
  }

  request(device: string): string {
    return `${this.prefix}/${this.fingerprint}/in/${device}`;
  }

  answer(device: string): string {
    return `${this.prefix}/${this.fingerprint}/out/${device}`;
  }

  /** What workers of one group share: each utterance goes to one of them. */
  shared(group: string): string {
    return `$share/${group}/${this.prefix}/${this.fingerprint}/in/+`;
  }

  get model(): string {
    return `${this.prefix}/models/${this.fingerprint}`;
  }

  worker(id: string): string {
    return `${this.prefix}/workers/${id}`;
  }

  /** The device of a request's topic. */
  deviceOf(topic: string): string {
    return topic.slice(this.request('').length);
  }

  /** Whether a request may ask for its answer there: a worker publishes nothing elsewhere, whoever asks. */
  mayAnswerOn(topic: string): boolean {
    const begin = this.answer('');
    return topic.startsWith(begin) && isPlain(topic.slice(begin.length));
  }
}
