/** One message of a device as a worker takes it: what of it may be believed, and where its answer goes. */
import type { CloudClassifier, CloudDecoder } from '../../codec/index.js';
import { UsageError } from '../../tensor/index.js';
import { type Answered, type AnswerLimits, answerTo, errorOf, UTTERANCE_TYPE } from './answer.js';
import type { Incoming } from './message.js';
import type { Topics } from './topics.js';

type Request = Pick<Incoming, 'topic' | 'payload' | 'properties'>;

/** Seconds for which an answer is still wanted after a message waited here; undefined where it never expires. */
export const secondsLeft = (
  expirySeconds: number | undefined,
  waitedMilliseconds: number,
): number | undefined =>
  expirySeconds === undefined ? undefined : expirySeconds - waitedMilliseconds / 1000;

/** What there is to say to a message: of its properties, or of what is in it. Never throws. */
export function answerRequest(
  half: CloudDecoder | CloudClassifier,
  topics: Topics,
  { payload, properties: { contentType, responseTopic } }: Request,
  limits: AnswerLimits,
): Answered {
  if (contentType !== undefined && contentType !== UTTERANCE_TYPE) {
    const text = `content type ${JSON.stringify(contentType.slice(0, 80))}: only ${UTTERANCE_TYPE} is taken, or none`;
    return { answer: errorOf(new UsageError(text)), seconds: 0 };
  }
  if (responseTopic !== undefined && !topics.mayAnswerOn(responseTopic)) {
    const text = `response topic: answers go below ${topics.answer('')} and nowhere else`;
    return { answer: errorOf(new UsageError(text)), seconds: 0 };
  }
  return answerTo(half, payload, limits);
}

/** The topic that a message asks for, where it may, or else that of its device. */
export const answerTopic = (topics: Topics, { topic, properties: { responseTopic } }: Request): string =>
  responseTopic !== undefined && topics.mayAnswerOn(responseTopic)
    ? responseTopic
    : topics.answer(topics.deviceOf(topic));
