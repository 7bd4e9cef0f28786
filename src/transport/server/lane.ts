/**
 * One worker thread as the main thread sees it: at most one file and one batch of live streams are with it at a time. What
 * else comes for its streams waits here, and goes in the next batch: the more there is to do, the larger batches are.
 */
import { Worker } from 'node:worker_threads';
import type { FileOptions, ModelFacts } from './engine.js';
import { type ErrorFacts, refusalOf } from './errors.js';
import { LaneStream } from './lane-stream.js';
import type { LiveAnswer, LiveEntry, WorkerReply, WorkerRequest, WorkerStart } from './protocol.js';
import type { Limits } from './settings.js';

/** A file that is to be decoded. */
export interface FileJob {
  readonly bytes: Uint8Array;
  readonly options: FileOptions;
  readonly resolve: (json: string) => void;
  readonly reject: (error: unknown) => void;
}

/** What a lane tells its pool. */
export interface LaneEvents {
  ready(model: ModelFacts): void;
  /** The worker could not start. */
  unfit(error: ErrorFacts): void;
  /** A file is done, or a stream came or went. */
  changed(): void;
  decoded(kind: 'file' | 'live', seconds: number, streams: number): void;
  trouble(stack: string): void;
  /** The worker is gone, for a reason in a word; all that it had has been answered. */
  ended(reason: 'crash' | 'time limit', message: string): void;
}

/** Beyond its limit, a file's worker has this long to stop by itself between two parts of the work. */
const GRACE_SECONDS = 1;

const secondsNow = (): number => performance.now() / 1000;
const NONE: readonly number[] = [];

export class Lane {
  private readonly worker: Worker;
  private state: 'starting' | 'up' | 'down' = 'starting';
  private file: { readonly job: FileJob; readonly deadline: number } | null = null;
  private batch: { readonly streams: readonly LaneStream[]; readonly deadline: number } | null = null;
  /** Streams with something to do, in the order in which it came. */
  private ready: LaneStream[] = [];
  private dropped: number[] = [];
  private readonly streams = new Set<LaneStream>();
  private flushing = false;

  constructor(
    start: WorkerStart,
    private readonly limits: Limits,
    private readonly events: LaneEvents,
  ) {
    this.worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: { start, limits },
      resourceLimits: { maxOldGenerationSizeMb: limits.workerMegabytes },
    });
    this.worker.on('message', (reply: WorkerReply) => this.receive(reply));
    this.worker.on('messageerror', (error) => this.fail('crash', error.message));
    this.worker.on('error', (error) => this.fail('crash', error instanceof Error ? error.message : 'error'));
    this.worker.on('exit', (code) => this.fail('crash', `it ended with code ${code}`));
  }

  get isUp(): boolean {
    return this.state === 'up';
  }

  get isDecodingFile(): boolean {
    return this.file !== null;
  }

  get streamCount(): number {
    return this.streams.size;
  }

  /** Gives the worker a file; only where it has none. */
  decode(job: FileJob, limitSeconds: number): void {
    this.file = { job, deadline: secondsNow() + limitSeconds + GRACE_SECONDS };
    const { bytes, options } = job;
    this.send({ kind: 'file', bytes, options, limitSeconds }, bytes.buffer as ArrayBuffer);
  }

  /** A new stream; its opening is the first thing that is pushed. */
  open(number: number, listener: LaneStream['listener']): LaneStream {
    const stream = new LaneStream(number, listener, {
      enqueue: (each) => this.enqueue(each),
      drop: (each) => this.drop(each),
    });
    this.streams.add(stream);
    return stream;
  }

  /** Ends the worker where its work took too long. */
  check(now: number): void {
    const isLate = (work: { readonly deadline: number } | null) => work !== null && now > work.deadline;
    if (isLate(this.file)) this.fail('time limit', 'a file took too long');
    else if (isLate(this.batch)) this.fail('time limit', 'a batch of live streams took too long');
  }

  /** Packets of live streams that wait. */
  get waitingPackets(): number {
    let sum = 0;
    for (const { waiting } of this.streams) sum += waiting;
    return sum;
  }

  /** Ends the worker because the server ends; what it still has is refused. */
  async terminate(): Promise<void> {
    const message = 'the server ends before the work is done: ask another one';
    if (this.state !== 'down') this.abandon({ code: 'ACOM_CLOSING', message });
    await this.worker.terminate();
  }

  private enqueue(stream: LaneStream): void {
    this.ready.push(stream);
    this.flushSoon();
  }

  private drop(stream: LaneStream): void {
    if (!this.streams.delete(stream)) return;
    this.dropped.push(stream.number);
    this.flushSoon();
    this.events.changed();
  }

  /** What comes in one turn of the event loop goes in one batch. */
  private flushSoon(): void {
    if (this.flushing || this.batch !== null) return;
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.state !== 'up' || this.batch !== null) return;
    const taken: LaneStream[] = [];
    let seen = 0;
    while (seen < this.ready.length && taken.length < this.limits.batchStreams) {
      const stream = this.ready[seen++]!;
      // Some were dropped while they stood in line.
      if (this.streams.has(stream)) taken.push(stream);
    }
    this.ready.splice(0, seen);
    if (taken.length === 0 && this.dropped.length === 0) return;
    const waiting = taken.map((stream) => stream.take());
    const bytes = new Uint8Array(waiting.reduce((sum, { message }) => sum + message.length, 0));
    let offset = 0;
    const entries = waiting.map(({ operation, message }, i): LiveEntry => {
      bytes.set(message, offset);
      offset += message.length;
      return { stream: taken[i]!.number, operation, length: message.length };
    });
    this.batch = { streams: taken, deadline: secondsNow() + this.limits.batchSeconds };
    const dropped = this.dropped.length > 0 ? this.dropped : NONE;
    this.send({ kind: 'live', entries, bytes: bytes.buffer, dropped }, bytes.buffer);
    this.dropped = [];
  }

  private send(request: WorkerRequest, transferred: ArrayBuffer): void {
    this.worker.postMessage(request, [transferred]);
  }

  private receive(reply: WorkerReply): void {
    if (this.state === 'down') return;
    switch (reply.kind) {
      case 'ready':
        this.state = 'up';
        this.events.ready(reply.model);
        this.flushSoon();
        break;
      case 'unfit':
        this.state = 'down';
        void this.worker.terminate();
        this.events.unfit(reply.error);
        break;
      case 'file':
        this.finishFile(reply.seconds, (job) => job.resolve(reply.json));
        break;
      case 'failed':
        this.finishFile(reply.seconds, (job) => job.reject(refusalOf(reply.error)));
        break;
      case 'live':
        this.finishBatch(reply.answers, reply.seconds);
        break;
      case 'trouble':
        this.events.trouble(reply.stack);
    }
  }

  private finishFile(seconds: number, settle: (job: FileJob) => void): void {
    const { file } = this;
    this.file = null;
    if (file !== null) settle(file.job);
    this.events.decoded('file', seconds, 0);
    this.events.changed();
  }

  private finishBatch(answers: readonly LiveAnswer[], seconds: number): void {
    const streams = this.batch?.streams ?? [];
    this.batch = null;
    if (streams.length > 0) this.events.decoded('live', seconds, streams.length);
    let ended = false;
    for (const [i, stream] of streams.entries()) {
      const answer = answers[i];
      if (answer === undefined || !this.streams.has(stream)) continue;
      const isOver = answer.done || answer.error !== null;
      if (isOver) {
        ended = true;
        this.streams.delete(stream);
      }
      if (stream.answered(answer)) this.ready.push(stream);
    }
    if (ended) this.events.changed();
    this.flushSoon();
  }

  private fail(reason: 'crash' | 'time limit', message: string): void {
    if (this.state === 'down') return;
    void this.worker.terminate();
    this.abandon(
      reason === 'crash'
        ? { code: 'ACOM_WORKER', message: 'the worker that had this ended, and the work is lost: try again' }
        : { code: 'ACOM_TIME_LIMIT', message: 'decoding took too long, and the work is lost' },
    );
    this.events.ended(reason, message);
  }

  /** Answers all that the worker had with an error. */
  private abandon(error: ErrorFacts): void {
    this.state = 'down';
    this.file?.job.reject(refusalOf(error));
    this.file = null;
    const streams = [...this.streams];
    this.streams.clear();
    this.ready = [];
    for (const stream of streams) stream.answered({ messages: [], done: false, error });
  }
}
