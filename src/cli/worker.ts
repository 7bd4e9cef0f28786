import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { CloudClassifier, CloudDecoder } from '../codec/index.js';
import { useThreads } from '../ops/index.js';
import { type LogFields, logLine, MqttWorker } from '../transport/mqtt/index.js';
import { type BrokerArguments, brokerOf } from './broker.js';
import { openHalf, version } from './model.js';
import { EXIT, type ExitCode, print } from './run.js';

export interface WorkerArguments extends BrokerArguments {
  readonly model?: string;
  readonly group?: string;
  readonly concurrency?: number;
  readonly mostSeconds?: number;
  readonly grace: number;
  readonly details?: boolean;
  readonly verbose?: boolean;
}

/** Resolves with the first signal that asks the process to end; the second one ends it at once. */
const askedToEnd = (): Promise<string> =>
  new Promise((ended) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ended(signal));
  });

/** acom worker: the cloud half as one of any number of workers behind a broker, until a signal ends it. */
export async function worker(options: WorkerArguments): Promise<ExitCode> {
  const broker = await brokerOf(options);
  // A machine is filled by as many workers as it has cores, which leaves nothing for threads to do.
  if (!process.env['ACOM_THREADS']) useThreads(1);
  const half = await openHalf<CloudDecoder | CloudClassifier>(options.model, (model) =>
    model.config.task === 'recognition' ? model.cloudDecoder() : model.cloudClassifier(),
  );
  const log = (event: string, fields: LogFields): void => print(logLine(new Date(), event, fields));
  const id = options.id ?? `${hostname().slice(0, 40)}-${process.pid}-${randomBytes(2).toString('hex')}`;
  const { prefix, group, concurrency, mostSeconds, details, verbose } = options;
  const settings = { prefix, group, concurrency, mostSeconds, details, verbose };
  const ending = askedToEnd();
  const starting = MqttWorker.start(half, { ...settings, ...broker, id, version, log });
  const started = await Promise.race([starting, ending]);
  // A signal came before the broker did: nothing is at hand.
  if (typeof started === 'string') process.exit(EXIT.done);
  log('signal', { worker: id, name: await ending });
  return (await started.stop(options.grace)) === 0 ? EXIT.done : EXIT.failed;
}
