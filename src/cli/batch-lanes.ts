/** Where the files of a batch are done, one after another in each lane: this thread, or a worker thread. */
import { Worker } from 'node:worker_threads';
import type { CodecModel } from '../codec/index.js';
import type { GpuCodecModel } from '../gpu/index.js';
import type { SentError, WorkerReply, WorkerRequest } from './batch-worker.js';
import type { FileResult, FileWork } from './file-result.js';
import { openWork, type WorkOrder } from './file-work.js';
import { modelPath } from './model.js';
import { naming } from './run.js';

/** A lane that could not be opened: no file can be done. */
export class LaneError extends Error {}

export interface Lane {
  /** One call at a time. Throws LaneError where the model does not open, else what is wrong with the file. */
  run(path: string, output: string): Promise<FileResult>;
  close(): Promise<void>;
}

/** Does the work in this thread. */
export function hereLane(order: WorkOrder, open: () => Promise<CodecModel | GpuCodecModel>): Lane {
  let opening: Promise<FileWork> | undefined;
  return {
    async run(path, output) {
      opening ??= naming(modelPath(order.options.model), () => openWork(order, open));
      const work = await opening.catch((cause: unknown) => {
        throw new LaneError('the model does not open', { cause });
      });
      return work(path, output);
    },
    async close() {},
  };
}

interface Waiting {
  readonly resolve: (reply: WorkerReply) => void;
  readonly reject: (reason: unknown) => void;
}

const received = ({ message, stack, about }: SentError): Error =>
  Object.assign(new Error(message), { stack, ...about });

/** A worker thread that answers one message at a time; `ended` once there is no more of it. */
class Thread {
  ended = false;
  private waiting: Waiting | null = null;
  private readonly worker: Worker;

  constructor(order: WorkOrder) {
    this.worker = new Worker(new URL('./batch-worker.js', import.meta.url), { workerData: order });
    this.worker.on('message', (reply: WorkerReply) => {
      this.waiting?.resolve(reply);
      this.waiting = null;
    });
    this.worker.on('error', (error) => this.end(error));
    this.worker.on('messageerror', (error) => this.end(error));
    this.worker.on('exit', (code) => this.end(new Error(`its thread ended with exit code ${code}`)));
  }

  private end(reason: unknown): void {
    this.ended = true;
    this.waiting?.reject(reason);
    this.waiting = null;
  }

  async answer(request?: WorkerRequest): Promise<WorkerReply> {
    const reply = await new Promise<WorkerReply>((resolve, reject) => {
      this.waiting = { resolve, reject };
      if (request !== undefined) this.worker.postMessage(request);
    });
    if (reply.kind === 'failed') throw received(reply.error);
    return reply;
  }

  async close(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Does the work in a thread that starts with the first file, and again where one has ended it. */
export function workerLane(order: WorkOrder): Lane {
  let thread: Thread | null = null;
  return {
    async run(path, output) {
      if (thread === null || thread.ended) {
        const starting = new Thread(order);
        await starting.answer().catch(async (cause: unknown) => {
          await starting.close();
          throw new LaneError('a worker thread does not start', { cause });
        });
        thread = starting;
      }
      const reply = await thread.answer({ path, output });
      if (reply.kind !== 'done') throw new Error(`internal: a worker thread answered ${reply.kind}`);
      return reply.result;
    },
    async close() {
      await thread?.close();
    },
  };
}
