/** All WebSockets of a server. */
import { type Client, secondsNow } from './clients.js';
import { type ErrorFacts, RefusalError } from './errors.js';
import type { Metrics } from './metrics.js';
import type { WebSocket } from './packages.js';
import type { WorkerPool } from './pool.js';
import type { Limits } from './settings.js';
import { type SessionHost, StreamSession } from './stream-session.js';

const CHECK_MILLISECONDS = 250;

export class Sessions {
  private readonly open = new Set<StreamSession>();
  private readonly host: SessionHost;
  private readonly timer: NodeJS.Timeout;
  private onEmpty: (() => void) | null = null;

  constructor(
    private readonly limits: Limits,
    private readonly pool: WorkerPool,
    private readonly metrics: Metrics,
    onError: (error: ErrorFacts) => void,
  ) {
    this.host = {
      limits,
      openStream: (listener) => pool.openStream(listener),
      failed: onError,
      closed: (session) => this.closed(session),
    };
    this.timer = setInterval(() => {
      const now = secondsNow();
      for (const session of this.open) session.check(now);
    }, CHECK_MILLISECONDS);
  }

  get size(): number {
    return this.open.size;
  }

  /** Before a WebSocket is accepted. Throws RefusalError where it would be one too many. */
  requireRoom(client: Client): void {
    client.requireStream();
    if (this.open.size >= this.limits.streams) {
      throw new RefusalError('ACOM_BUSY', 'enough streams are open here: try again later', 5);
    }
    this.pool.requireRoom();
  }

  begin(socket: WebSocket, client: Client): void {
    client.streams++;
    this.metrics.streams.inc();
    this.open.add(new StreamSession(socket, client, this.host));
  }

  /** Ends all streams, each with what is final; those that are still there after `seconds` are cut off. */
  async shutDown(seconds: number): Promise<void> {
    for (const session of this.open) session.shutDown();
    if (this.open.size > 0) {
      await new Promise<void>((done) => {
        const late = setTimeout(() => {
          for (const session of this.open) session.terminate();
          done();
        }, 1000 * seconds);
        this.onEmpty = () => {
          clearTimeout(late);
          done();
        };
      });
    }
    clearInterval(this.timer);
  }

  private closed(session: StreamSession): void {
    if (!this.open.delete(session)) return;
    session.client.streams--;
    if (this.open.size === 0) this.onEmpty?.();
  }
}
