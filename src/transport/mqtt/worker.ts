/**
 * A worker: takes utterances of one model from a broker, decodes them, publishes answers. It keeps nothing between two
 * utterances, so that any number of workers share the work and any of them may vanish.
 *
 * An utterance is acknowledged when its answer is with the broker, and not before. What a worker has not acknowledged
 * counts against its receive maximum, so that it never has more than `concurrency` utterances at hand.
 */

import type { CloudClassifier, CloudDecoder } from '../../codec/index.js';
import { crcText } from '../../codec/model-file.js';
import { UsageError } from '../../tensor/index.js';
import { json, modelAnnouncement, type WorkerState, workerAnnouncement } from './announcements.js';
import { ANSWER_TYPE, type AnswerLimits, MOST_UTTERANCE_BYTES } from './answer.js';
import { BrokerConnection } from './connection.js';
import type { Log, LogFields } from './log.js';
import type { Incoming, Publication } from './message.js';
import { answerRequest, answerTopic, secondsLeft } from './request.js';
import { DEFAULT_GROUP, requireName, Topics } from './topics.js';
import type { WorkerCounts, WorkerSettings } from './worker-settings.js';

/** What is in a packet besides an utterance: topic, properties. */
const MOST_OTHER_BYTES = 1 << 12;
/** Utterances larger than they may be arrive up to this size, so that their devices are told. */
const MOST_PACKET_BYTES = 2 * MOST_UTTERANCE_BYTES + MOST_OTHER_BYTES;
/** Utterances of QoS 0 that wait; nothing but this bounds them. */
const MOST_UNBOUND = 256;
/** Characters of a device's name in a line of the log. */
const MOST_LOGGED = 128;
/** Seconds between two reports. */
const REPORT_SECONDS = 30;

interface Task {
  readonly message: Incoming;
  /** When it came, in milliseconds. */
  readonly since: number;
}

type Counts = { -readonly [K in keyof WorkerCounts]: WorkerCounts[K] };

export class MqttWorker {
  private readonly topics: Topics;
  private readonly filter: string;
  private readonly concurrency: number;
  private readonly limits: AnswerLimits;
  private readonly log: Log;
  private readonly tasks: Task[] = [];
  /** Utterances that came and are not done with. */
  private atHand = 0;
  private isDecoding = false;
  private state: WorkerState = 'online';
  private readonly done: Counts = { answered: 0, refused: 0, expired: 0, dropped: 0, failed: 0, seconds: 0 };
  private reported = '';
  private connection!: BrokerConnection;
  private timer: NodeJS.Timeout | undefined;

  private constructor(
    private readonly half: CloudDecoder | CloudClassifier,
    private readonly settings: WorkerSettings,
  ) {
    const {
      prefix,
      group = DEFAULT_GROUP,
      concurrency = 8,
      mostSeconds = 60,
      log = () => undefined,
    } = settings;
    this.topics = new Topics(crcText(half.coder.fingerprint), prefix);
    this.filter = this.topics.shared(requireName('group', group));
    requireName('id', settings.id);
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 65535) {
      throw new UsageError(`concurrency is ${concurrency}; use a whole number from 1 to 65535`);
    }
    if (!(mostSeconds > 0)) throw new UsageError(`mostSeconds is ${mostSeconds}; use a number above 0`);
    this.concurrency = concurrency;
    this.limits = { mostSeconds, details: settings.details ?? false };
    this.log = (event, fields) => log(event, { worker: settings.id, ...fields });
  }

  /**
   * Connects, announces the model and takes utterances from then on. Waits for a broker that can't be reached; throws
   * BrokerError where it refuses this worker.
   */
  static async start(half: CloudDecoder | CloudClassifier, settings: WorkerSettings): Promise<MqttWorker> {
    const worker = new MqttWorker(half, settings);
    await worker.open();
    return worker;
  }

  get counts(): WorkerCounts {
    return { ...this.done, seconds: round(this.done.seconds) };
  }

  /**
   * Takes no more utterances, finishes those at hand and those that the broker had already given to this worker, says
   * goodbye. Returns how many were left when `graceSeconds` were over: 0 where all is well.
   */
  async stop(graceSeconds = 20): Promise<number> {
    if (this.state !== 'online') return this.atHand;
    this.state = 'draining';
    clearInterval(this.timer);
    this.log('draining', { atHand: this.atHand });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((over) => {
      timer = setTimeout(over, 1000 * graceSeconds);
    });
    // A broker that is gone takes no goodbye, and what was at hand is its to send again.
    if (this.connection.isUp) {
      await Promise.race([this.drain().catch(() => undefined), late]);
      this.state = 'offline';
      const goodbye = this.connection.publish(this.status({ reason: 'stopped' }));
      await Promise.race([goodbye.catch(() => undefined), late]);
    }
    this.state = 'offline';
    clearTimeout(timer);
    await this.connection.close();
    this.log('stopped', { ...this.counts, left: this.atHand });
    return this.atHand;
  }

  private async open(): Promise<void> {
    const { address, id, ca, version = 'unknown' } = this.settings;
    this.connection = await BrokerConnection.open(
      {
        address,
        clientId: id,
        ...(ca === undefined ? {} : { ca }),
        receiveMaximum: this.concurrency,
        mostPacketBytes: MOST_PACKET_BYTES,
        acknowledgesLater: true,
        // Each device has a topic of its own: there is hardly one that comes again soon.
        topicAliases: false,
        will: this.status({ reason: 'connection lost' }, 'offline'),
      },
      {
        onMessage: (message) => this.take(message),
        onUp: () => {
          this.log('connected', { broker: address.url });
          // The will has said that this worker is gone. The first time, nothing is announced before the subscription stands.
          if (this.connection !== undefined) this.announce();
        },
        onDown: () => this.log('disconnected', { broker: address.url }),
        onTrouble: (message) => this.log('trouble', { message }),
      },
    );
    await this.connection.subscribe(this.filter);
    this.announce();
    this.log('ready', {
      model: this.half.config.name,
      filter: this.filter,
      concurrency: this.concurrency,
      version,
    });
    this.timer = setInterval(() => this.report(), 1000 * REPORT_SECONDS);
    this.timer.unref();
  }

  private take(message: Incoming): void {
    if (message.qos === 0 && this.tasks.length >= MOST_UNBOUND) {
      this.done.dropped++;
      return;
    }
    this.atHand++;
    this.tasks.push({ message, since: performance.now() });
    void this.work();
  }

  /** Decodes what waits, one after another; packets of the connection are read between two. */
  private async work(): Promise<void> {
    if (this.isDecoding) return;
    this.isDecoding = true;
    for (let task = this.tasks.shift(); task !== undefined; task = this.tasks.shift()) {
      await new Promise<void>((next) => setImmediate(next));
      void this.answer(task);
    }
    this.isDecoding = false;
  }

  /** Answers one utterance and acknowledges it when the broker has the answer. Never throws. */
  private async answer({ message, since }: Task): Promise<void> {
    const { topic, payload, properties } = message;
    const { correlation, expirySeconds } = properties;
    const device = this.topics.deviceOf(topic).slice(0, MOST_LOGGED);
    const begin = performance.now();
    const rest = secondsLeft(expirySeconds, begin - since);
    try {
      if (rest !== undefined && rest <= 0) {
        this.done.expired++;
        this.log('expired', { device, bytes: payload.length });
        message.acknowledge();
        return;
      }
      const { answer, seconds, fault } = answerRequest(this.half, this.topics, message, this.limits);
      this.done.seconds += 'error' in answer ? 0 : seconds;
      if (fault !== undefined) {
        const { message: text, stack = text } = fault instanceof Error ? fault : new Error(String(fault));
        this.log('fault', { device, bytes: payload.length, stack });
      }
      await this.connection.publish({
        topic: answerTopic(this.topics, message),
        payload: json(answer),
        properties: {
          correlation,
          // Who says what it sends is told what it gets; the others save the bytes.
          contentType: properties.contentType === undefined ? undefined : ANSWER_TYPE,
          expirySeconds: rest === undefined ? undefined : Math.ceil(rest),
        },
      });
      this.done.answered++;
      if ('error' in answer) this.done.refused++;
      // An answer that came too late to be acknowledged is given again by another worker, and the device knows it.
      const acknowledged = message.acknowledge();
      if (this.settings.verbose || 'error' in answer) {
        const outcome = 'error' in answer ? { code: answer.error.code } : { seconds: round(seconds) };
        const milliseconds = round(performance.now() - begin);
        this.log('answered', {
          device,
          bytes: payload.length,
          ...outcome,
          milliseconds,
          acknowledged: +acknowledged,
        });
      }
    } catch (error) {
      // The broker refused the answer. It would refuse the next one: the utterance is not asked for again.
      this.done.failed++;
      message.acknowledge();
      this.log('failed', { device, message: (error as Error).message });
    } finally {
      this.atHand--;
    }
  }

  /** Waits until the broker has nothing more for this worker. */
  private async drain(): Promise<void> {
    await this.connection.unsubscribe(this.filter);
    // Brokers give out utterances before a worker can take them. Each acknowledgement brings the next one, before
    // whatever is published after it is acknowledged: so none at hand before and after means that none is left.
    for (let taken = -1; taken !== this.taken || this.atHand > 0; ) {
      taken = this.taken;
      while (this.atHand > 0) await new Promise((next) => setTimeout(next, 5));
      await this.connection.publish(this.status({}));
    }
  }

  private get taken(): number {
    const { answered, expired, failed } = this.done;
    return answered + expired + failed;
  }

  /** Says, retained, what the model is and that this worker is there. */
  private announce(): void {
    const model = modelAnnouncement(this.topics, this.half.config, this.settings.version);
    for (const publication of [model, this.status({})]) {
      this.connection.publish(publication).catch((error: Error) => {
        if (this.state === 'online') this.log('trouble', { message: error.message });
      });
    }
  }

  private status(more: LogFields, status: WorkerState = this.state): Publication {
    return workerAnnouncement(this.topics, this.settings.id, status, { ...more, ...this.counts });
  }

  /** Tells log and broker what was done since the last report, if anything was. */
  private report(): void {
    const now = JSON.stringify(this.counts);
    if (now === this.reported) return;
    this.reported = now;
    this.log('report', { ...this.counts, atHand: this.atHand });
    this.announce();
  }
}

const round = (value: number): number => Math.round(10 * value) / 10;
