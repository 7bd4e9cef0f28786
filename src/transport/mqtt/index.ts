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
export { MqttDevice } from './device.js';
export type { DeviceCounts, DeviceSettings, Reply } from './device-settings.js';
export { type Log, type LogFields, logLine } from './log.js';
export type { Traffic } from './message.js';
export { PUBACK_BYTES, packetBytes, propertyBytes, publishBytes } from './packet-size.js';
export { DEFAULT_GROUP, DEFAULT_PREFIX, Topics } from './topics.js';
export { MqttWorker } from './worker.js';
export type { WorkerCounts, WorkerSettings } from './worker-settings.js';
