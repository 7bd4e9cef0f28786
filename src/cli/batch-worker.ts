/** A worker thread of a batch: opens its own half of the model, and does one file after another as they are sent. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadCodecModel } from '../codec/index.js';
import { useThreads } from '../ops/index.js';
import type { FileResult } from './file-result.js';
import { openWork, type WorkOrder } from './file-work.js';
import { modelPath } from './model.js';
import { naming } from './run.js';

export interface WorkerRequest {
  readonly path: string;
  readonly output: string;
}

/** What `explain` and `--debug` need of an error: one that is sent as it is loses its code. */
export interface SentError {
  readonly message: string;
  readonly stack: string;
  readonly about: Readonly<Record<string, string | number>>;
}

export type WorkerReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly result: FileResult }
  | { readonly kind: 'failed'; readonly error: SentError };

const port = parentPort;
if (port === null) throw new Error('internal: this module runs in a worker thread only');
const reply = (message: WorkerReply): void => port.postMessage(message);

function sent(error: unknown): SentError {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error));
  const fields = ['code', 'errno', 'path', 'syscall'] as const;
  const found = fields.map((name) => [name, (error as NodeJS.ErrnoException | null)?.[name]] as const);
  const about = Object.fromEntries(found.filter(([, value]) => value !== undefined));
  return { message, stack, about: about as SentError['about'] };
}

const fail = (error: unknown): void => reply({ kind: 'failed', error: sent(error) });

// The cores are taken by the other files.
useThreads(1);
const order = workerData as WorkOrder;
const path = modelPath(order.options.model);
try {
  const work = await naming(path, () => openWork(order, () => loadCodecModel(path)));
  port.on('message', (request: WorkerRequest) => {
    work(request.path, request.output).then((result) => reply({ kind: 'done', result }), fail);
  });
  reply({ kind: 'ready' });
} catch (error) {
  fail(error);
}
