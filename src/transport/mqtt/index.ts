/** The halves of a codec model on two sides of an MQTT 5 broker: devices publish utterances, workers answer them. */
export {
  type Answer,
  type AnswerError,
  type AnswerLimits,
  answerTo,
  errorIn,
  MOST_UTTERANCE_BYTES,
  parseAnswer,
  UTTERANCE_TYPE,
} from './answer.js';
export { type BrokerAddress, parseBrokerUrl } from './broker-url.js';
export { type DeviceCounts, type DeviceSettings, MqttDevice, type Reply } from './device.js';
export { type Log, type LogFields, logLine } from './log.js';
export type { Traffic } from './message.js';
export { PUBACK_BYTES, packetBytes, propertyBytes, publishBytes } from './packet-size.js';
export { DEFAULT_GROUP, DEFAULT_PREFIX, Topics } from './topics.js';
export { MqttWorker, type WorkerCounts, type WorkerSettings } from './worker.js';
