/**
 * A worker thread of the server: decodes the files and live streams that it is sent. A file is decoded in parts, between
 * which batches of live streams go first.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { useThreads } from '../../ops/dispatch.js';
import { AcomError, UsageError } from '../../tensor/index.js';
import type { CreateEngine, Engine } from './engine.js';
import { factsOf, RefusalError } from './errors.js';
import { LiveRunner } from './live-runner.js';
import type { AudioLimits, WorkerReply, WorkerRequest, WorkerStart } from './protocol.js';

const port = parentPort;
if (port === null) throw new Error('internal: this module runs in a worker thread only');
const {
  start: { url, options },
  limits,
} = workerData as { readonly start: WorkerStart; readonly limits: AudioLimits };
const reply = (message: WorkerReply): void => port.postMessage(message);
const now = (): number => performance.now() / 1000;

function trouble(error: unknown): void {
  reply({ kind: 'trouble', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}

/** Lets messages in that wait. */
const yieldToMessages = (): Promise<void> => new Promise((done) => setImmediate(done));

async function decodeFile(
  engine: Engine,
  { bytes, options, limitSeconds }: WorkerRequest & { readonly kind: 'file' },
): Promise<void> {
  const start = now();
  const turn = async (): Promise<void> => {
    await yieldToMessages();
    if (now() - start <= limitSeconds) return;
    throw new RefusalError(
      'ACOM_TIME_LIMIT',
      `decoding took longer than ${limitSeconds} s and was stopped: send shorter files`,
    );
  };
  try {
    const json = JSON.stringify(await engine.decode(bytes, options, turn));
    reply({ kind: 'file', json, seconds: now() - start });
  } catch (error) {
    if (!(error instanceof AcomError)) trouble(error);
    reply({ kind: 'failed', error: factsOf(error), seconds: now() - start });
  }
}

async function loadEngine(): Promise<Engine> {
  const { createEngine } = (await import(url)) as { readonly createEngine?: CreateEngine };
  if (typeof createEngine === 'function') return createEngine(options);
  throw new UsageError(`${url}: this module exports no function createEngine`);
}

function serve(engine: Engine, messages: NonNullable<typeof parentPort>): void {
  const runner = engine.live && new LiveRunner(engine.live, engine.model, limits, trouble);
  messages.on('message', (request: WorkerRequest) => {
    if (request.kind === 'file') {
      void decodeFile(engine, request);
      return;
    }
    if (runner === null) throw new Error('internal: this engine has no live streams');
    const start = now();
    runner.drop(request.dropped);
    const answers = runner.run(request.entries, request.bytes);
    reply({ kind: 'live', answers, seconds: now() - start });
  });
  reply({ kind: 'ready', model: engine.model });
}

// Each worker has a core; threads below it would only take turns.
useThreads(1);
try {
  serve(await loadEngine(), port);
} catch (error) {
  if (!(error instanceof AcomError)) trouble(error);
  const message = error instanceof Error ? error.message : String(error);
  reply({
    kind: 'unfit',
    error: { code: error instanceof AcomError ? error.code : 'ACOM_INTERNAL', message },
  });
}
