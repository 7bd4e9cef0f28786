/** Settings and properties in the words of the package mqtt, without its types: only one file imports it. */
import type { ConnectionSettings, Properties } from './message.js';
import type { PublishProperties } from './packet-size.js';

/** Properties as the package wants them; it takes none that are undefined. */
export function packageProperties(properties: Properties): Record<string, string | number | Buffer> {
  const { contentType, responseTopic, correlation, expirySeconds } = properties;
  return {
    ...(contentType === undefined ? {} : { contentType }),
    ...(responseTopic === undefined ? {} : { responseTopic }),
    ...(correlation === undefined ? {} : { correlationData: Buffer.from(correlation) }),
    ...(expirySeconds === undefined ? {} : { messageExpiryInterval: expirySeconds }),
  };
}

export const ownProperties = (from: PublishProperties): Properties => ({
  contentType: from.contentType,
  responseTopic: from.responseTopic,
  correlation: from.correlationData,
  expirySeconds: from.messageExpiryInterval,
});

/** Options of a connection; `reconnectPeriod`: milliseconds before the first try to come back. */
export function clientOptions(settings: ConnectionSettings, reconnectPeriod: number) {
  const { address, clientId, ca, will, sessionSeconds = 0, receiveMaximum } = settings;
  return {
    protocolVersion: 5 as const,
    clientId,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
    keepalive: settings.keepAliveSeconds ?? 30,
    clean: sessionSeconds === 0,
    reconnectPeriod,
    reconnectOnConnackError: true,
    connectTimeout: 10_000,
    autoAssignTopicAlias: settings.topicAliases ?? true,
    properties: {
      sessionExpiryInterval: sessionSeconds,
      maximumPacketSize: settings.mostPacketBytes,
      ...(receiveMaximum === undefined ? {} : { receiveMaximum }),
    },
    ...(will === undefined
      ? {}
      : {
          will: {
            topic: will.topic,
            payload: Buffer.from(will.payload),
            qos: 1 as const,
            retain: will.retain ?? false,
            properties: packageProperties(will.properties ?? {}),
          },
        }),
  };
}
