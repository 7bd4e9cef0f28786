/** A live stream on its way through a worker: what waits, one after another. */
import type { ErrorFacts } from './errors.js';
import type { LiveAnswer, LiveOperation } from './protocol.js';

/** Who owns a stream hears what came of it. */
export interface StreamListener {
  /** Texts for the client; the stream is over where it is `done` or there is an error. */
  answered(messages: readonly string[], done: boolean, error: ErrorFacts | null): void;
}

interface Waiting {
  readonly operation: LiveOperation;
  readonly message: Uint8Array;
}

/** What a stream needs of its lane. */
interface StreamLane {
  /** There is something to do for a stream that had nothing. */
  enqueue(stream: LaneStream): void;
  drop(stream: LaneStream): void;
}

const EMPTY = new Uint8Array();

export class LaneStream {
  private readonly queue: Waiting[] = [];
  /** Whether its lane has it: in line, or in a batch. */
  private queued = false;
  private isOver = false;

  constructor(
    readonly number: number,
    readonly listener: StreamListener,
    private readonly lane: StreamLane,
  ) {}

  /** Messages that wait for the worker. */
  get waiting(): number {
    return this.queue.length;
  }

  /** The message is kept until its turn comes. */
  push(operation: LiveOperation, message: Uint8Array = EMPTY): void {
    if (this.isOver) return;
    this.queue.push({ operation, message });
    if (this.queued) return;
    this.queued = true;
    this.lane.enqueue(this);
  }

  /** Nobody is interested any more. */
  drop(): void {
    if (this.isOver) return;
    this.end();
    this.lane.drop(this);
  }

  /** For the lane: what is next. */
  take(): Waiting {
    return this.queue.shift()!;
  }

  /** For the lane: the answer to what was taken. Says whether there is more to do. */
  answered({ messages, done, error }: LiveAnswer): boolean {
    if (done || error !== null) this.end();
    this.listener.answered(messages, done, error);
    this.queued = this.queue.length > 0;
    return this.queued;
  }

  private end(): void {
    this.isOver = true;
    this.queue.length = 0;
  }
}
