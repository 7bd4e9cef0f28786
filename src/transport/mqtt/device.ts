/**
 * A device's side: publishes utterances, waits for their answers. Each utterance comes to exactly one reply: the first answer
 * that carries its correlation data, or that none came in time. Later answers to the same are counted and thrown away.
 */
import { crcText } from '../../codec/model-file.js';
import { UsageError } from '../../tensor/index.js';
import { type AnswerError, errorIn, MOST_UTTERANCE_BYTES, parseAnswer, UTTERANCE_TYPE } from './answer.js';
import { BrokerConnection } from './connection.js';
import type { DeviceCounts, DeviceSettings, Reply } from './device-settings.js';
import type { Incoming, Traffic } from './message.js';
import { PUBACK_BYTES } from './packet-size.js';
import { requireName, Topics } from './topics.js';

interface Pending {
  readonly payload: Uint8Array;
  readonly correlation: Uint8Array;
  readonly begin: number;
  readonly settle: (reply: Reply) => void;
  attempts: number;
  sentBytes: number;
  receivedBytes: number;
  /** The broker does not have the last publication yet; the client sends it again by itself where it must. */
  isUnderWay: boolean;
  /** Nobody subscribed when the broker got the last publication, or it refused it. */
  trouble: string | null;
  retry: NodeJS.Timeout | undefined;
  deadline: NodeJS.Timeout | undefined;
}

type Counts = { -readonly [K in keyof DeviceCounts]: DeviceCounts[K] };

/** Most utterances that wait for answers; correlation data has two bytes to tell them apart. */
const MOST_PENDING = 1 << 12;
/** Largest answer that is taken. */
const MOST_PACKET_BYTES = 1 << 18;
/** Seconds for which a broker keeps answers while the connection is lost. */
const SESSION_SECONDS = 60;

const keyOf = (correlation: Uint8Array): string => Buffer.from(correlation).toString('hex');

export class MqttDevice {
  readonly topics: Topics;
  private readonly pending = new Map<string, Pending>();
  /** Utterances that have their reply, as many as may still get another answer. */
  private readonly settled = new Set<string>();
  private readonly session = crypto.getRandomValues(new Uint8Array(2));
  private number = 0;
  private readonly done: Counts = { published: 0, answered: 0, unanswered: 0, duplicates: 0, strays: 0 };
  private connection!: BrokerConnection;

  private constructor(private readonly settings: DeviceSettings) {
    this.topics = new Topics(crcText(settings.fingerprint), settings.prefix);
    requireName('id', settings.id);
    const { deadlineSeconds = 30, retrySeconds = 8 } = settings;
    // A day at most: longer ones overflow timers.
    for (const [name, value] of Object.entries({ deadlineSeconds, retrySeconds })) {
      if (!(value > 0 && value <= 86_400))
        throw new UsageError(`${name} is ${value}; use a number above 0, at most 86400`);
    }
  }

  /** Connects. Throws BrokerError where the broker refuses this device or can't be reached in time. */
  static async open(settings: DeviceSettings): Promise<MqttDevice> {
    const device = new MqttDevice(settings);
    await device.connect();
    return device;
  }

  get counts(): DeviceCounts {
    return { ...this.done };
  }

  /** Bytes over the sockets, everything counted but TCP. */
  get traffic(): Traffic {
    return this.connection.traffic;
  }

  /**
   * Publishes an utterance and resolves with what became of it; a missing answer is a reply too. Throws UsageError for what
   * no worker takes, and where too many wait already.
   */
  send(payload: Uint8Array): Promise<Reply> {
    if (payload.length > MOST_UTTERANCE_BYTES) {
      throw new UsageError(
        `an utterance of ${payload.length} bytes; at most ${MOST_UTTERANCE_BYTES} are taken: send a long recording in pieces`,
      );
    }
    if (this.pending.size >= MOST_PENDING) {
      throw new UsageError(
        `${MOST_PENDING} utterances wait for answers already: wait for some of them first`,
      );
    }
    const correlation = this.nextCorrelation();
    return new Promise((settle) => {
      const pending: Pending = {
        payload,
        correlation,
        begin: performance.now(),
        settle,
        attempts: 0,
        sentBytes: 0,
        receivedBytes: 0,
        isUnderWay: false,
        trouble: null,
        retry: undefined,
        deadline: undefined,
      };
      this.pending.set(keyOf(correlation), pending);
      pending.deadline = setTimeout(() => this.giveUp(pending), 1000 * this.deadlineSeconds);
      this.done.published++;
      this.publish(pending);
    });
  }

  /** Ends the connection. What still waits comes to unanswered replies. */
  async close(): Promise<void> {
    for (const pending of [...this.pending.values()]) this.giveUp(pending, 'the device ended its connection');
    await this.connection.close();
  }

  private get deadlineSeconds(): number {
    return this.settings.deadlineSeconds ?? 30;
  }

  private async connect(): Promise<void> {
    const {
      address,
      id,
      ca,
      connectSeconds = 10,
      keepAliveSeconds = 30,
      topicAliases = true,
      onTrouble,
    } = this.settings;
    this.connection = await BrokerConnection.open(
      {
        address,
        clientId: id,
        ...(ca === undefined ? {} : { ca }),
        mostPacketBytes: MOST_PACKET_BYTES,
        sessionSeconds: SESSION_SECONDS,
        connectSeconds,
        keepAliveSeconds,
        topicAliases,
      },
      {
        onMessage: (message) => this.take(message),
        onSent: (correlation, bytes) => {
          const pending = correlation && this.pending.get(keyOf(correlation));
          if (pending) pending.sentBytes += bytes;
        },
        ...(onTrouble === undefined
          ? {}
          : { onTrouble, onDown: () => onTrouble('the connection is lost; trying again') }),
      },
    );
    await this.connection.subscribe(this.topics.answer(id));
  }

  /** Four bytes: two of this run, so that answers to an earlier one are none of ours, and a number. */
  private nextCorrelation(): Uint8Array {
    for (;;) {
      this.number = (this.number + 1) % 65536;
      const correlation = Uint8Array.from([...this.session, this.number >> 8, this.number & 255]);
      if (!this.pending.has(keyOf(correlation))) {
        this.settled.delete(keyOf(correlation));
        return correlation;
      }
    }
  }

  private publish(pending: Pending): void {
    const { payload, correlation, begin, attempts } = pending;
    const { id, retrySeconds = 8, describes = false } = this.settings;
    pending.attempts++;
    pending.isUnderWay = true;
    const rest = this.deadlineSeconds - (performance.now() - begin) / 1000;
    this.connection
      .publish({
        topic: this.topics.request(id),
        payload,
        properties: {
          correlation,
          expirySeconds: Math.max(1, Math.ceil(rest)),
          ...(describes ? { contentType: UTTERANCE_TYPE, responseTopic: this.topics.answer(id) } : {}),
        },
      })
      .then(
        ({ isHeard, acknowledgementBytes }) => {
          pending.receivedBytes += acknowledgementBytes;
          pending.trouble = isHeard ? null : `no worker takes utterances of model ${this.topics.fingerprint}`;
        },
        (error: Error) => {
          pending.trouble = error.message;
        },
      )
      .finally(() => {
        pending.isUnderWay = false;
      });
    // Devices that lost their worker together do not all come back at the same moment.
    const pause = 1000 * retrySeconds * 2 ** attempts * (0.75 + Math.random() / 2);
    if (pause < 1000 * rest) pending.retry = setTimeout(() => this.again(pending), pause);
  }

  /** Sends an utterance again, unless the client is about to do so itself. */
  private again(pending: Pending): void {
    if (!pending.isUnderWay) this.publish(pending);
    else pending.retry = setTimeout(() => this.again(pending), 1000 * (this.settings.retrySeconds ?? 8));
  }

  private take(message: Incoming): void {
    const { correlation } = message.properties;
    const key = correlation === undefined ? '' : keyOf(correlation);
    const pending = this.pending.get(key);
    if (pending === undefined) {
      if (this.settled.has(key)) this.done.duplicates++;
      else this.done.strays++;
      return;
    }
    pending.receivedBytes += message.bytes;
    // The package acknowledges the answer when this returns.
    pending.sentBytes += message.qos > 0 ? PUBACK_BYTES : 0;
    try {
      const answer = parseAnswer(message.payload);
      const error = errorIn(answer);
      this.settle(pending, error === null ? answer : null, error);
    } catch (error) {
      // Not from a worker of ours; theirs may still come.
      this.done.strays++;
      this.settings.onTrouble?.((error as Error).message);
    }
  }

  private giveUp(pending: Pending, reason?: string): void {
    const why =
      reason ??
      pending.trouble ??
      (pending.isUnderWay ? 'the broker does not have it' : 'no worker answered');
    const message = `no answer in ${this.deadlineSeconds} s: ${why}`;
    this.settle(pending, null, { code: 'ACOM_UNANSWERED', message: reason ?? message });
  }

  private settle(pending: Pending, answer: Reply['answer'], error: AnswerError | null): void {
    clearTimeout(pending.retry);
    clearTimeout(pending.deadline);
    const key = keyOf(pending.correlation);
    this.pending.delete(key);
    this.settled.add(key);
    if (this.settled.size > MOST_PENDING) this.settled.delete(this.settled.values().next().value!);
    if (error?.code === 'ACOM_UNANSWERED') this.done.unanswered++;
    else this.done.answered++;
    const { attempts, sentBytes, receivedBytes, begin } = pending;
    pending.settle({
      answer,
      error,
      attempts,
      milliseconds: performance.now() - begin,
      sentBytes,
      receivedBytes,
    });
  }
}
