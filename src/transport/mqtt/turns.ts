/** A bound on work that is under way: what comes above it waits for its turn, first come, first served. */
import { BrokerError } from '../../tensor/index.js';

/** Most that wait; they wait for each other's answers, so there are not that many unless something is wrong. */
const MOST_WAITING = 1 << 16;

export class Turns {
  private underWay = 0;
  private isClosed = false;
  private readonly waiting: { readonly go: () => void; readonly refuse: (error: Error) => void }[] = [];

  constructor(private room: number) {}

  /** How much may be under way from now on; what is already goes on. */
  setRoom(room: number): void {
    this.room = room;
    this.next();
  }

  /** Resolves when there is room; `end` must be called then. Throws BrokerError where too many wait, or after `close`. */
  begin(): Promise<void> {
    if (this.isClosed) return Promise.reject(closed());
    if (this.waiting.length >= MOST_WAITING) {
      const message = `${MOST_WAITING} publications wait already; wait for some of them first`;
      return Promise.reject(new BrokerError(message));
    }
    return new Promise((go, refuse) => {
      this.waiting.push({ go, refuse });
      this.next();
    });
  }

  end(): void {
    this.underWay--;
    this.next();
  }

  /** Refuses all that wait and all that comes. */
  close(): void {
    this.isClosed = true;
    for (const { refuse } of this.waiting.splice(0)) refuse(closed());
  }

  private next(): void {
    while (this.underWay < this.room && this.waiting.length > 0) {
      this.underWay++;
      this.waiting.shift()!.go();
    }
  }
}

const closed = (): BrokerError => new BrokerError('the connection is closed: open another one');
