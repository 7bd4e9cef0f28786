/** Messages and connections as the rest of this folder sees them, whatever package carries them. */
import type { BrokerAddress } from './broker-url.js';

export interface Properties {
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlation?: Uint8Array | undefined;
  /** Whole seconds after which nobody wants the message any more. */
  readonly expirySeconds?: number | undefined;
}

export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

/** A message from the broker. */
export interface Incoming {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly properties: Properties;
  /** Bytes of its packet. */
  readonly bytes: number;
  /**
   * Tells the broker that it need not be sent again, once; false where the connection that it came over is gone. Does nothing
   * for messages of QoS 0, and for those of a connection that acknowledges by itself.
   */
  acknowledge(): boolean;
}

export interface ConnectionSettings {
  readonly address: BrokerAddress;
  readonly clientId: string;
  /** Certificates that may have signed the broker's, in PEM; the system's where this is left out. */
  readonly ca?: Uint8Array;
  /** Seconds after which a silent connection is probed, and given up half as much later. Default 30. */
  readonly keepAliveSeconds?: number;
  /** Seconds for which the broker keeps subscriptions and messages of a lost connection; default 0. */
  readonly sessionSeconds?: number;
  /** Most messages that are sent here before they are acknowledged. */
  readonly receiveMaximum?: number;
  /** Largest packet that is taken. */
  readonly mostPacketBytes: number;
  /** Whether messages are acknowledged by `acknowledge`, and not when they arrive. */
  readonly acknowledgesLater?: boolean;
  /** Whether topics are sent once and then as a number, where the broker takes that. Default: they are. */
  readonly topicAliases?: boolean;
  /** What the broker publishes when the connection is lost. */
  readonly will?: Publication;
  /** Seconds in which the first connection must be made; default: for ever, with one line of trouble for each try. */
  readonly connectSeconds?: number;
}

export interface ConnectionEvents {
  onMessage(message: Incoming): void;
  /** The connection is there, again or for the first time. */
  onUp?(): void;
  onDown?(): void;
  /** Something went wrong that does not end the connection for good. */
  onTrouble?(message: string): void;
  /** A publication was sent, or sent again. */
  onSent?(correlation: Uint8Array | undefined, bytes: number): void;
}

/** What became of a publication. */
export interface Published {
  /** False: the broker said that nobody subscribes. */
  readonly isHeard: boolean;
  /** Bytes of the broker's acknowledgement. */
  readonly acknowledgementBytes: number;
}

/** Bytes over all connections since the first, as the sockets count them. */
export interface Traffic {
  readonly sent: number;
  readonly received: number;
}
