/**
 * The worker threads. A file goes to a worker that has none; a live stream stays with the worker where it began. Where there
 * are several workers, the first one has no streams and the last one no files, and those between take files while they have
 * no streams: neither kind of work can hold the other up. A worker that ends is replaced.
 */
import type { FileOptions, ModelFacts } from './engine.js';
import { type ErrorFacts, RefusalError, refusalOf } from './errors.js';
import { type FileJob, Lane, type LaneEvents } from './lane.js';
import type { LaneStream, StreamListener } from './lane-stream.js';
import type { WorkerStart } from './protocol.js';
import type { Limits } from './settings.js';

/** What a pool tells whoever watches it. */
export interface PoolObserver {
  decoded(kind: 'file' | 'live', seconds: number, streams: number): void;
  restarted(reason: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

/** Between two looks at how long work takes. */
const CHECK_MILLISECONDS = 50;
/** A worker that ends so soon after it began waits before it begins again, longer each time. */
const QUICK_SECONDS = 5;
const MOST_DELAY_SECONDS = 10;
/** Streams that a worker with a file counts for more when a stream is placed. */
const FILE_WEIGHT = 8;

const secondsNow = (): number => performance.now() / 1000;

const closing = (): RefusalError =>
  new RefusalError('ACOM_CLOSING', 'the server ends before the file was decoded: ask another one');

/** A place for a worker, and how often the last ones ended soon. */
interface Place {
  lane: Lane;
  startedAt: number;
  quickEnds: number;
}

export class WorkerPool {
  private readonly places: Place[] = [];
  private readonly files: FileJob[] = [];
  private nextStream = 1;
  private known: ModelFacts | null = null;
  private closed = false;
  private readonly timer: NodeJS.Timeout;
  private readonly restarts = new Set<NodeJS.Timeout>();
  private onStart: { readonly done: () => void; readonly failed: (error: unknown) => void } | null = null;

  private constructor(
    private readonly start: WorkerStart,
    workers: number,
    private readonly limits: Limits,
    private readonly observer: PoolObserver,
  ) {
    for (let at = 0; at < workers; at++) {
      this.places.push({ lane: this.makeLane(at), startedAt: secondsNow(), quickEnds: 0 });
    }
    this.timer = setInterval(() => {
      const now = secondsNow();
      for (const { lane } of this.places) lane.check(now);
    }, CHECK_MILLISECONDS);
  }

  /** Workers that all have their models. Throws what the first of them failed with. */
  static async start(
    start: WorkerStart,
    workers: number,
    limits: Limits,
    observer: PoolObserver,
  ): Promise<WorkerPool> {
    const pool = new WorkerPool(start, workers, limits, observer);
    try {
      await new Promise<void>((done, failed) => {
        pool.onStart = { done, failed };
      });
    } catch (error) {
      await pool.close();
      throw error;
    } finally {
      pool.onStart = null;
    }
    return pool;
  }

  get model(): ModelFacts {
    if (this.known === null) throw new Error('internal: no worker has been ready');
    return this.known;
  }

  /** Whether there are workers for files and for streams. */
  get isReady(): boolean {
    return (
      !this.closed && this.places.some(this.isUpForFiles, this) && this.places.some(this.isUpForStreams, this)
    );
  }

  get workersUp(): number {
    return this.places.filter(({ lane }) => lane.isUp).length;
  }

  get waitingFiles(): number {
    return this.files.length;
  }

  get waitingPackets(): number {
    return this.places.reduce((sum, { lane }) => sum + lane.waitingPackets, 0);
  }

  /**
   * A file as the JSON of its transcript or classification; its buffer is given away. Throws RefusalError, with the codes of
   * the codec's errors where the file is at fault. A file that still waits when `signal` aborts is not decoded.
   */
  decode(bytes: Uint8Array, options: FileOptions, signal?: AbortSignal): Promise<string> {
    return new Promise<string>((resolve, reject) => {
      if (this.closed) throw closing();
      // One that a worker takes at once does not wait.
      const isWaiting = this.freeLane() === undefined;
      if (isWaiting && this.files.length >= this.limits.queuedFiles) {
        throw new RefusalError('ACOM_BUSY', 'all workers are busy and enough files wait: ask again later', 1);
      }
      const job: FileJob = { bytes, options, resolve, reject };
      this.files.push(job);
      signal?.addEventListener('abort', () => {
        const at = this.files.indexOf(job);
        if (at < 0) return;
        this.files.splice(at, 1);
        reject(new RefusalError('ACOM_IDLE', 'the client is gone'));
      });
      this.dispatch();
    });
  }

  /** Throws RefusalError where a stream more would only wait. */
  requireRoom(): void {
    if (!this.places.some(this.isUpForStreams, this)) {
      throw new RefusalError('ACOM_BUSY', 'no worker is up: try again later', 1);
    }
    if (this.waitingPackets < this.limits.queuedPackets) return;
    throw new RefusalError(
      'ACOM_BUSY',
      'the packets of all streams wait too long already: try again later',
      5,
    );
  }

  /** A new stream on the worker with the fewest. Throws RefusalError where no worker is up. */
  openStream(listener: StreamListener): LaneStream {
    const load = ({ lane }: Place) => lane.streamCount + (lane.isDecodingFile ? FILE_WEIGHT : 0);
    const places = this.places.filter(this.isUpForStreams, this);
    if (places.length === 0) throw new RefusalError('ACOM_BUSY', 'no worker is up: try again later', 1);
    const { lane } = places.reduce((best, place) => (load(place) < load(best) ? place : best));
    return lane.open(this.nextStream++, listener);
  }

  /** Ends the workers; what they still have is refused. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    for (const restart of this.restarts) clearTimeout(restart);
    for (const { reject } of this.files.splice(0)) {
      reject(closing());
    }
    await Promise.all(this.places.map(({ lane }) => lane.terminate()));
  }

  private isUpForStreams({ lane }: Place, at: number): boolean {
    return lane.isUp && (at > 0 || this.places.length === 1);
  }

  private isUpForFiles({ lane }: Place, at: number): boolean {
    const last = this.places.length - 1;
    return lane.isUp && (at === 0 || (at < last && lane.streamCount === 0));
  }

  private freeLane(): Lane | undefined {
    return this.places.find((place, at) => this.isUpForFiles(place, at) && !place.lane.isDecodingFile)?.lane;
  }

  private dispatch(): void {
    while (this.files.length > 0 && !this.closed) {
      const lane = this.freeLane();
      if (lane === undefined) return;
      lane.decode(this.files.shift()!, this.limits.jobSeconds);
    }
  }

  private makeLane(at: number): Lane {
    const events: LaneEvents = {
      ready: (model) => this.ready(at, model),
      unfit: (error) => this.unfit(at, error),
      changed: () => this.dispatch(),
      decoded: (kind, seconds, streams) => this.observer.decoded(kind, seconds, streams),
      trouble: (stack) => this.observer.error({ worker: at, stack }, 'an error in a worker'),
      ended: (reason, message) => {
        this.observer.error({ worker: at, reason, why: message }, 'a worker ended');
        this.onStart?.failed(new RefusalError('ACOM_WORKER', `a worker ended while it started: ${message}`));
        this.restart(at, reason);
      },
    };
    return new Lane(this.start, this.limits, events);
  }

  private ready(at: number, model: ModelFacts): void {
    const known = this.known ?? model;
    this.known = known;
    // Streams and devices know the model by its fingerprint, which may not change below them.
    if (model.fingerprint !== known.fingerprint) {
      const message = `the model is ${model.fingerprint} now and was ${known.fingerprint}: start the server again to change it`;
      this.unfit(at, { code: 'ACOM_MODEL_MISMATCH', message });
      return;
    }
    if (this.workersUp === this.places.length) this.onStart?.done();
    this.dispatch();
  }

  private unfit(at: number, error: ErrorFacts): void {
    this.observer.error({ worker: at, ...error }, 'a worker could not start');
    this.onStart?.failed(refusalOf(error));
    this.restart(at, 'unfit');
  }

  private restart(at: number, reason: string): void {
    if (this.closed || this.onStart !== null) return;
    const place = this.places[at]!;
    void place.lane.terminate();
    const isQuick = secondsNow() - place.startedAt < QUICK_SECONDS;
    place.quickEnds = isQuick ? place.quickEnds + 1 : 0;
    const delay = place.quickEnds < 2 ? 0 : Math.min(MOST_DELAY_SECONDS, 0.1 * 2 ** place.quickEnds);
    const timer = setTimeout(() => {
      this.restarts.delete(timer);
      place.startedAt = secondsNow();
      place.lane = this.makeLane(at);
      this.observer.restarted(reason);
      this.observer.warn({ worker: at, reason }, 'a worker was replaced');
    }, 1000 * delay);
    this.restarts.add(timer);
  }
}
