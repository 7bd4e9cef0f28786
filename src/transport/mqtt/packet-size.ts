/** Bytes of MQTT 5 packets: what they cost on the wire, without TCP and TLS (OASIS MQTT 5.0, chapters 2 and 3). */
import { utf8 } from './topics.js';

/** What of a PUBLISH packet its size depends on. */
export interface PublishShape {
  readonly topicBytes: number;
  readonly payloadBytes: number;
  readonly qos: number;
  /** Bytes of all properties, without their length. */
  readonly propertyBytes: number;
}

/** Properties of a PUBLISH packet, as the client names them. */
export interface PublishProperties {
  readonly topicAlias?: number | undefined;
  readonly messageExpiryInterval?: number | undefined;
  readonly contentType?: string | undefined;
  readonly responseTopic?: string | undefined;
  readonly correlationData?: Uint8Array | undefined;
}

/** A PUBACK of success: it has neither reason nor properties. */
export const PUBACK_BYTES = 4;

/** Bytes of a number in the variable form of lengths: seven bits each. */
const variableBytes = (value: number): number =>
  value < 128 ? 1 : value < 16384 ? 2 : value < 2097152 ? 3 : 4;

/** Bytes of a packet whose fixed header announces `remaining` bytes. */
export const packetBytes = (remaining: number): number => 1 + variableBytes(remaining) + remaining;

/** Each property is one byte of its number and then its value; texts and data have two bytes of length. */
export function propertyBytes(properties: PublishProperties): number {
  const { topicAlias, messageExpiryInterval, contentType, responseTopic, correlationData } = properties;
  return (
    (topicAlias === undefined ? 0 : 3) +
    (messageExpiryInterval === undefined ? 0 : 5) +
    (contentType === undefined ? 0 : 3 + utf8(contentType).length) +
    (responseTopic === undefined ? 0 : 3 + utf8(responseTopic).length) +
    (correlationData === undefined ? 0 : 3 + correlationData.length)
  );
}

export function publishBytes({ topicBytes, payloadBytes, qos, propertyBytes: of }: PublishShape): number {
  return packetBytes(2 + topicBytes + (qos > 0 ? 2 : 0) + variableBytes(of) + of + payloadBytes);
}
