/** What workers say, retained, of the model that they serve and of themselves. */
import type { CodecConfig } from '../../codec/index.js';
import type { LogFields } from './log.js';
import type { Publication } from './message.js';
import { type Topics, utf8 } from './topics.js';

/** Offline is said by the broker too, where a connection is lost. */
export type WorkerState = 'online' | 'draining' | 'offline';

/** Seconds for which a broker keeps what is said about models and workers that are gone. */
const RETAINED_SECONDS = 7 * 24 * 3600;

export const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

const retained = (topic: string, value: unknown): Publication => ({
  topic,
  payload: json(value),
  retain: true,
  properties: { expirySeconds: RETAINED_SECONDS },
});

/** What devices may want to know of a model before they send. */
export function modelAnnouncement(
  topics: Topics,
  { name, task, labels, frontEnd, quantizer }: CodecConfig,
  version = 'unknown',
): Publication {
  return retained(topics.model, {
    name,
    fingerprint: topics.fingerprint,
    task,
    sampleRate: frontEnd.sampleRate,
    labels: labels.length,
    codebooks: quantizer.codebooks,
    codewords: quantizer.codewords,
    version,
  });
}

export const workerAnnouncement = (
  topics: Topics,
  id: string,
  status: WorkerState,
  more: LogFields,
): Publication => retained(topics.worker(id), { status, model: topics.fingerprint, ...more });
