/**
 * A connection to an MQTT 5 broker that comes back by itself. The package mqtt is an optional peer that only this file
 * imports, and only when a connection is opened.
 *
 * Two things are added to what the package does. A message can be acknowledged later, from wherever its work ends: the
 * package goes on to the next packet without an acknowledgement where `handleMessage` reports an error, so that is what is
 * reported, and four bytes are written when the work is done. And no more publications are under way than the broker said
 * it takes.
 */
import type { MqttClient } from 'mqtt';
import { BrokerError, MissingPackageError } from '../../tensor/index.js';
import { clientOptions, ownProperties, packageProperties } from './client-options.js';
import type {
  ConnectionEvents,
  ConnectionSettings,
  Incoming,
  Publication,
  Published,
  Traffic,
} from './message.js';
import {
  PUBACK_BYTES,
  type PublishProperties,
  packetBytes,
  propertyBytes,
  publishBytes,
} from './packet-size.js';
import { utf8 } from './topics.js';
import { Turns } from './turns.js';

/** Milliseconds between tries to connect: twice as long after each, within these bounds. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 30_000;
/** Most publications that are under way, whatever a broker takes. */
const MOST_UNDER_WAY = 256;
/** Reasons for which a broker refuses a connection and will refuse the next one: credentials, identifiers, bans. */
const FINAL_REASONS = new Set([4, 5, 132, 133, 134, 135, 138, 140]);
/** Reason of a PUBACK that says that nobody subscribes. */
const NO_SUBSCRIBERS = 16;
/** Milliseconds that a graceful end may take. */
const END_PATIENCE = 3000;
/** What keeps the package from acknowledging; it shows this to nobody. */
const LATER = new Error('acknowledged later');

async function loadMqtt(): Promise<typeof import('mqtt')> {
  try {
    return await import('mqtt');
  } catch (cause) {
    throw new MissingPackageError('mqtt', 'talking to a broker', cause);
  }
}

/** An error of the package or of a socket in words; some of the latter have none. */
function wordsOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string | number };
  return message === undefined || message === '' ? String(code ?? error) : message;
}

/** Whether the next try would end alike: a refusal, or a certificate that is not believed. */
function isFinal(error: unknown): boolean {
  const { code } = error as { code?: string | number };
  return typeof code === 'string' ? /CERT|UNABLE_TO_|ERR_TLS/.test(code) : FINAL_REASONS.has(code ?? -1);
}

export class BrokerConnection {
  private readonly turns = new Turns(MOST_UNDER_WAY);
  /** Acknowledgements that came, by their numbers, until the package says whose they are. */
  private readonly acknowledged = new Map<number, Published>();
  /** Bytes of lost connections, and the socket that was counted last. */
  private readonly before = { sent: 0, received: 0 };
  private counted: unknown;
  private pause = FIRST_PAUSE;
  private wasUp = false;
  private ended = false;

  private constructor(
    private readonly client: MqttClient,
    private readonly name: string,
    private readonly events: ConnectionEvents,
    acknowledgesLater: boolean,
  ) {
    client.on('connect', ({ properties }) => {
      this.pause = FIRST_PAUSE;
      this.wasUp = true;
      client.options.reconnectPeriod = FIRST_PAUSE;
      this.turns.setRoom(Math.min(MOST_UNDER_WAY, properties?.receiveMaximum ?? MOST_UNDER_WAY));
      this.events.onUp?.();
    });
    client.on('close', () => this.lost());
    client.on('error', (error) => this.events.onTrouble?.(wordsOf(error)));
    client.on('disconnect', ({ reasonCode }) =>
      this.events.onTrouble?.(`the broker ends the connection, reason ${reasonCode ?? 0}`),
    );
    client.on('packetsend', (packet) => {
      if (packet.cmd !== 'publish') return;
      const properties = (packet.properties ?? {}) as PublishProperties;
      const bytes = publishBytes({
        topicBytes: utf8(packet.topic).length,
        payloadBytes: packet.payload.length,
        qos: packet.qos,
        propertyBytes: propertyBytes(properties),
      });
      this.events.onSent?.(properties.correlationData, bytes);
    });
    client.on('packetreceive', (packet) => {
      if (packet.cmd !== 'puback') return;
      this.acknowledged.set(packet.messageId!, {
        isHeard: packet.reasonCode !== NO_SUBSCRIBERS,
        acknowledgementBytes: packetBytes(packet.length ?? 2),
      });
    });
    client.handleMessage = (packet, done) => {
      const { stream } = client;
      const { qos, messageId = 0 } = packet;
      const later = acknowledgesLater && qos > 0;
      let open = later;
      const message: Incoming = {
        topic: packet.topic,
        payload: packet.payload as Buffer,
        qos,
        properties: ownProperties((packet.properties ?? {}) as PublishProperties),
        bytes: packetBytes(packet.length ?? 0),
        acknowledge: () => {
          if (!open) return true;
          open = false;
          // The number means nothing on another connection than the one that it came over.
          if (client.stream !== stream || !client.connected) return false;
          stream.write(Buffer.from([0x40, PUBACK_BYTES - 2, messageId >> 8, messageId & 255]));
          return true;
        },
      };
      try {
        this.events.onMessage(message);
      } catch (error) {
        this.events.onTrouble?.(`a message on ${packet.topic} could not be handled: ${wordsOf(error)}`);
      }
      done(later ? LATER : undefined);
    };
  }

  /**
   * Opens a connection. Throws BrokerError where the broker refuses it for good or can't be reached in time,
   * MissingPackageError where the package is not installed.
   */
  static async open(settings: ConnectionSettings, events: ConnectionEvents): Promise<BrokerConnection> {
    const { address, acknowledgesLater = false } = settings;
    const { connect } = await loadMqtt();
    const client = connect(address.url, clientOptions(settings, FIRST_PAUSE));
    const connection = new BrokerConnection(client, address.url, events, acknowledgesLater);
    await connection.first(settings.connectSeconds);
    return connection;
  }

  get isUp(): boolean {
    return this.client.connected;
  }

  get traffic(): Traffic {
    const { sent, received } = this.socketBytes();
    return { sent: this.before.sent + sent, received: this.before.received + received };
  }

  /**
   * Publishes with QoS 1; resolves when the broker has taken it, however long the connection is away meanwhile. Throws
   * BrokerError where it refuses, or where the connection is closed.
   */
  async publish({ topic, payload, retain = false, properties = {} }: Publication): Promise<Published> {
    await this.turns.begin();
    try {
      return await new Promise<Published>((done, failed) => {
        const wanted = { qos: 1 as const, retain, properties: packageProperties(properties) };
        this.client.publish(topic, Buffer.from(payload), wanted, (error, packet) => {
          const { messageId = -1 } = (packet ?? {}) as { messageId?: number };
          const published = this.acknowledged.get(messageId);
          this.acknowledged.delete(messageId);
          if (error) failed(this.error(`publishing on ${topic}`, error));
          else done(published ?? { isHeard: true, acknowledgementBytes: PUBACK_BYTES });
        });
      });
    } finally {
      this.turns.end();
    }
  }

  /** Subscribes with QoS 1, and again after each loss. Throws BrokerError where the broker refuses. */
  subscribe(filter: string): Promise<void> {
    return new Promise((done, failed) => {
      this.client.subscribe(filter, { qos: 1 }, (error) => {
        if (error) failed(this.error(`subscribing to ${filter}`, error));
        else done();
      });
    });
  }

  unsubscribe(filter: string): Promise<void> {
    return new Promise((done, failed) => {
      this.client.unsubscribe(filter, (error) => {
        if (error) failed(this.error(`unsubscribing from ${filter}`, error));
        else done();
      });
    });
  }

  /** Says goodbye, so that the will is not published and no session is kept, and ends whatever is left after a while. */
  async close(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    this.turns.close();
    const { client } = this;
    if (!client.connected) {
      await new Promise<void>((done) => client.end(true, () => done()));
      return;
    }
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, END_PATIENCE);
    });
    const properties = { sessionExpiryInterval: 0 };
    const end = new Promise<void>((done) => client.end(false, { properties }, () => done()));
    await Promise.race([end, late]);
    clearTimeout(timer);
    client.stream.destroy();
  }

  /** Waits for the first connection. */
  private first(seconds: number | undefined): Promise<void> {
    const { client } = this;
    return new Promise((done, failed) => {
      let last: unknown;
      let timer: NodeJS.Timeout | undefined;
      const settle = (error?: BrokerError): void => {
        clearTimeout(timer);
        client.off('error', onError);
        client.off('connect', onConnect);
        if (error === undefined) {
          done();
          return;
        }
        this.ended = true;
        client.end(true);
        failed(error);
      };
      const onConnect = (): void => settle();
      const onError = (error: unknown): void => {
        last = error;
        if (isFinal(error)) settle(this.error('connecting', error));
      };
      client.on('error', onError);
      client.on('connect', onConnect);
      if (seconds !== undefined) {
        timer = setTimeout(() => {
          settle(this.error(`connecting for ${seconds} s`, last ?? new Error('it does not answer')));
        }, 1000 * seconds);
      }
    });
  }

  private error(doing: string, cause: unknown): BrokerError {
    return new BrokerError(
      `${this.name}: ${doing} failed: ${wordsOf(cause)}; is the broker there, and may this client do that?`,
      cause,
    );
  }

  private lost(): void {
    const { sent, received } = this.socketBytes();
    this.before.sent += sent;
    this.before.received += received;
    this.counted = this.client.stream;
    // The package has set its timer by what was there before; this is for the time after that. Clients that were
    // lost together do not come back together.
    this.client.options.reconnectPeriod = Math.ceil(this.pause * (0.5 + Math.random()));
    this.pause = Math.min(LONGEST_PAUSE, 2 * this.pause);
    if (this.wasUp && !this.ended) this.events.onDown?.();
    this.wasUp = false;
  }

  /** Bytes of the socket at hand that are not in `before` yet. */
  private socketBytes(): Traffic {
    const { stream } = this.client;
    if (stream === this.counted) return { sent: 0, received: 0 };
    const { bytesWritten = 0, bytesRead = 0 } = stream as { bytesWritten?: number; bytesRead?: number };
    return { sent: bytesWritten, received: bytesRead };
  }
}
