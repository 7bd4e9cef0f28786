/**
 * One WebSocket with a live stream in it: binary messages in, JSON out. The first message opens the stream, later ones are its
 * packets, and the text {"type":"end"} ends it. Whatever is wrong with a stream ends that stream, with a reason.
 */
import { type Client, secondsNow } from './clients.js';
import { closeCodeOf, type ErrorFacts, factsOf, RefusalError } from './errors.js';
import type { LaneStream, StreamListener } from './lane-stream.js';
import type { WebSocket } from './packages.js';
import type { Limits } from './settings.js';
import { TokenBucket } from './token-bucket.js';

/** What a session needs of the server. */
export interface SessionHost {
  readonly limits: Limits;
  openStream(listener: StreamListener): LaneStream;
  failed(error: ErrorFacts): void;
  closed(session: StreamSession): void;
}

const END_CHARACTERS = 256;
const NOTHING = { text: '', words: [], packets: 0, lost: 0, seconds: 0 };

type State = 'opening' | 'open' | 'ending' | 'over';

export class StreamSession implements StreamListener {
  private state: State = 'opening';
  private stream: LaneStream | null = null;
  private closing = false;
  private paused = false;
  private readonly startedAt = secondsNow();
  private lastAt = this.startedAt;
  private readonly messages: TokenBucket;
  private readonly bytes: TokenBucket;

  constructor(
    private readonly socket: WebSocket,
    readonly client: Client,
    private readonly host: SessionHost,
  ) {
    const { messagesPerSecond, messageBurst, bytesPerSecond, byteBurst } = host.limits;
    this.messages = new TokenBucket(messagesPerSecond, messageBurst, this.startedAt);
    this.bytes = new TokenBucket(bytesPerSecond, byteBurst, this.startedAt);
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      this.guard(() => this.receive(data, isBinary));
    });
    // Pings are answered, so they cost something too.
    socket.on('ping', (data: Buffer) => this.guard(() => this.count(data.length)));
    socket.on('close', () => this.socketClosed());
  }

  answered(messages: readonly string[], done: boolean, error: ErrorFacts | null): void {
    if (this.state === 'over') return;
    for (const text of messages) this.socket.send(text);
    if (error !== null) this.fail(error);
    else if (done) this.end(this.closing ? 1001 : 1000, this.closing ? 'ACOM_CLOSING' : '');
    else this.watchFlow();
  }

  /** Ends a stream that has been idle, or open, for too long. */
  check(now: number): void {
    if (this.state === 'over') return;
    const { openingSeconds, idleSeconds, streamSeconds } = this.host.limits;
    const allowed = this.state === 'opening' ? openingSeconds : idleSeconds;
    if (now - this.startedAt > streamSeconds) {
      this.fail({
        code: 'ACOM_TOO_LONG',
        message: `a stream may last ${streamSeconds} s: open a new one for what follows`,
      });
    } else if (now - this.lastAt > allowed && this.state !== 'ending') {
      this.fail({ code: 'ACOM_IDLE', message: `nothing came for ${allowed} s` });
    }
  }

  /** Ends the stream because the server ends: what is final is sent, after all that came. */
  shutDown(): void {
    // One that is ending anyway comes to its end.
    if (this.state === 'over' || this.state === 'ending') return;
    this.closing = true;
    if (this.stream === null) {
      this.socket.send(JSON.stringify({ type: 'closing', ...NOTHING }));
      this.end(1001, 'ACOM_CLOSING');
    } else {
      this.state = 'ending';
      this.stream.push('closing');
    }
  }

  /** At once, without a word. */
  terminate(): void {
    this.socket.terminate();
  }

  private guard(work: () => void): void {
    if (this.state === 'over' || this.closing) return;
    try {
      work();
    } catch (error) {
      this.fail(factsOf(error));
    }
  }

  /** Counts what came. Throws RefusalError where it is too much. */
  private count(bytes: number): void {
    const now = secondsNow();
    const { messagesPerSecond, bytesPerSecond } = this.host.limits;
    if (!this.messages.take(1, now)) {
      throw new RefusalError('ACOM_RATE', `more than ${messagesPerSecond} messages a second in one stream`);
    }
    if (!this.bytes.take(bytes, now)) {
      throw new RefusalError('ACOM_RATE', `more than ${bytesPerSecond} bytes a second in one stream`);
    }
  }

  private receive(data: Buffer, isBinary: boolean): void {
    const { messageBytes, waitingPackets } = this.host.limits;
    if (data.length > messageBytes) {
      throw new RefusalError(
        'ACOM_TOO_LARGE',
        `a message of ${data.length} bytes; at most ${messageBytes} are allowed`,
      );
    }
    this.count(data.length);
    this.lastAt = secondsNow();
    if (this.state === 'ending')
      throw new RefusalError('ACOM_PROTOCOL', 'a message after the end of the stream');
    if (!isBinary) {
      this.receiveText(data);
      return;
    }
    // A copy, because what came with it in one read from the network would be kept as well.
    const message = Uint8Array.from(data);
    if (this.stream === null) {
      this.stream = this.host.openStream(this);
      this.state = 'open';
      this.stream.push('open', message);
    } else this.stream.push('packet', message);
    if (this.stream.waiting > waitingPackets && !this.paused) {
      this.paused = true;
      this.socket.pause();
    }
  }

  private receiveText(data: Buffer): void {
    if (data.length > END_CHARACTERS || !isEnd(data.toString('utf8'))) {
      throw new RefusalError(
        'ACOM_PROTOCOL',
        'a text that is not {"type":"end"}: packets are binary messages, and nothing else is said in text',
      );
    }
    if (this.stream === null)
      throw new RefusalError('ACOM_PROTOCOL', 'the end of a stream that has not begun');
    this.state = 'ending';
    this.stream.push('final');
  }

  /** After something was sent or decoded: reads on where little waits, and ends the stream of a client that does not read. */
  private watchFlow(): void {
    const { bufferedBytes, waitingPackets } = this.host.limits;
    if (this.socket.bufferedAmount > bufferedBytes) {
      this.fail({
        code: 'ACOM_SLOW_READER',
        message: `more than ${bufferedBytes} bytes wait for you to read them`,
      });
    } else if (this.paused && this.stream !== null && 2 * this.stream.waiting <= waitingPackets) {
      this.paused = false;
      this.socket.resume();
    }
  }

  private fail(error: ErrorFacts): void {
    this.host.failed(error);
    this.socket.send(JSON.stringify({ type: 'error', ...error }));
    this.end(closeCodeOf(error.code), error.code);
  }

  private end(code: number, reason: string): void {
    this.state = 'over';
    this.stream?.drop();
    // A socket that is not read never hears that the other side closed it.
    if (this.paused) this.socket.resume();
    this.socket.close(code, reason);
  }

  private socketClosed(): void {
    this.state = 'over';
    this.stream?.drop();
    this.host.closed(this);
  }
}

function isEnd(text: string): boolean {
  try {
    const message: unknown = JSON.parse(text);
    return typeof message === 'object' && message !== null && (message as { type?: unknown }).type === 'end';
  } catch {
    return false;
  }
}
