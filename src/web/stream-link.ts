/** One live stream to the server: packets out over a WebSocket, words back. */
import type { Word } from '../tasks/recognition.js';
import { type Answer, parseAnswer } from './answers.js';

export interface LinkListener {
  words(words: readonly Word[], partial: string | null): void;
  /** The server has answered everything. */
  finished(): void;
  /** It broke off; without a message nothing is known but that the connection is gone, or was never there. */
  failed(message: string | null): void;
}

/** Messages that may go at once, and a second after that: below the server's limits (25 a second, 250 at once). */
const BURST = 150;
const PER_SECOND = 15;
const MILLISECONDS = 1000;
const NORMAL = 1000;

export class StreamLink {
  private readonly socket: WebSocket;
  private readonly waiting: Uint8Array<ArrayBuffer>[] = [];
  private allowance = BURST;
  private allowedAt = performance.now();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isOver = false;
  /** Words so far. */
  private seen = 0;

  constructor(
    url: URL,
    protocols: string[],
    private readonly listener: LinkListener,
  ) {
    const address = new URL(url);
    address.protocol = url.protocol.replace('http', 'ws');
    this.socket = new WebSocket(address, protocols);
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => this.flush();
    this.socket.onmessage = ({ data }) => this.hear(parseAnswer(data));
    this.socket.onclose = ({ code, reason }) => {
      if (code === NORMAL) this.over(() => this.listener.finished());
      else this.over(() => this.listener.failed(reason === '' ? null : `The server closed: ${reason}.`));
    };
  }

  /** Sends a message once the connection is there and the server may have another one. */
  send(bytes: Uint8Array): void {
    this.waiting.push(Uint8Array.from(bytes));
    this.flush();
  }

  /** Messages that are still to be sent. */
  get backlog(): number {
    return this.waiting.length;
  }

  close(): void {
    this.over(() => undefined);
  }

  private flush(): void {
    if (this.isOver || this.timer !== undefined || this.socket.readyState !== WebSocket.OPEN) return;
    const now = performance.now();
    this.allowance = Math.min(BURST, this.allowance + ((now - this.allowedAt) * PER_SECOND) / MILLISECONDS);
    this.allowedAt = now;
    while (this.waiting.length > 0 && this.allowance >= 1) {
      this.socket.send(this.waiting.shift()!);
      this.allowance--;
    }
    if (this.waiting.length === 0) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.flush();
    }, MILLISECONDS / PER_SECOND);
  }

  private hear(answer: Answer | null): void {
    const { listener, isOver } = this;
    if (isOver) return;
    switch (answer?.type) {
      case undefined:
        this.over(() => listener.failed('The server said something that this page does not understand.'));
        break;
      case 'ready':
        break;
      case 'update':
        this.seen += answer.words.length;
        listener.words(answer.words, answer.partial);
        break;
      case 'final':
      case 'closing':
        listener.words(answer.words.slice(this.seen), null);
        this.over(() => {
          if (answer.type === 'final') listener.finished();
          else listener.failed('The server is being shut down. Try again in a moment.');
        });
        break;
      case 'error':
        this.over(() => listener.failed(`The server ended the stream: ${answer.message}.`));
    }
  }

  private over(tell: () => void): void {
    if (this.isOver) return;
    this.isOver = true;
    clearTimeout(this.timer);
    this.socket.close();
    tell();
  }
}
