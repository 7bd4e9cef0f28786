/** What each client uses: requests a second, files and streams at once. */
import { RefusalError } from './errors.js';
import type { Limits } from './settings.js';
import { TokenBucket } from './token-bucket.js';

/** Clients that are remembered: beyond them, those that have nothing open and were silent longest are forgotten. */
const MOST_CLIENTS = 10_000;

export const secondsNow = (): number => performance.now() / 1000;

/** Who asks: the name of a token, else an address. */
export class Client {
  streams = 0;
  decodes = 0;
  readonly requests: TokenBucket;

  constructor(
    readonly name: string,
    private readonly limits: Limits,
  ) {
    this.requests = new TokenBucket(limits.requestsPerSecond, limits.requestBurst, secondsNow());
  }

  /** Counts a request. Throws RefusalError where there are too many. */
  request(): void {
    if (this.requests.take(1, secondsNow())) return;
    throw new RefusalError(
      'ACOM_RATE',
      `more than ${this.limits.requestsPerSecond} requests a second: ask again later, or less often`,
      Math.max(1, Math.ceil(this.requests.wait(1))),
    );
  }

  /** Throws RefusalError where one stream more would be too many. */
  requireStream(): void {
    const { streamsPerClient } = this.limits;
    if (this.streams < streamsPerClient) return;
    throw new RefusalError(
      'ACOM_TOO_MANY',
      `${streamsPerClient} streams of yours are open, and no more are allowed: end one first`,
    );
  }

  /** Throws RefusalError where one file more would be too many. */
  requireDecode(): void {
    const { decodesPerClient } = this.limits;
    if (this.decodes < decodesPerClient) return;
    throw new RefusalError(
      'ACOM_TOO_MANY',
      `${decodesPerClient} files of yours are being decoded, and no more are allowed: wait for one of them`,
      1,
    );
  }
}

export class Clients {
  /** By name, the one that asked last at the end. */
  private readonly known = new Map<string, Client>();

  constructor(private readonly limits: Limits) {}

  of(name: string): Client {
    const client = this.known.get(name) ?? new Client(name, this.limits);
    this.known.delete(name);
    this.known.set(name, client);
    if (this.known.size > MOST_CLIENTS) this.forgetOne();
    return client;
  }

  private forgetOne(): void {
    for (const [name, { streams, decodes }] of this.known) {
      if (streams > 0 || decodes > 0) continue;
      this.known.delete(name);
      return;
    }
  }
}
