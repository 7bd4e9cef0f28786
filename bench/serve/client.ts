/** Simulated devices: WebSocket clients that send packets at the pace of speech and note when each is answered. */
import { WebSocket } from 'ws';
import type { Word } from '../../src/index.js';

/** A live stream, encoded before. */
export interface Speech {
  readonly opening: Uint8Array;
  readonly packets: readonly Uint8Array[];
  /** Words that the library hears in it. */
  readonly words: readonly string[];
}

interface Answer {
  readonly type: string;
  readonly words?: readonly Word[];
  readonly code?: string;
}

/** One device's stream, from its opening to its last packet. */
export class Device {
  /** Seconds from each packet to its answer. */
  readonly latencies: number[] = [];
  /** How it ended: 'final', an error's code, or a close code. */
  ended: string | null = null;
  readonly words: string[] = [];
  readonly closed: Promise<void>;
  private readonly sentAt: number[] = [];
  private next = 0;

  private constructor(
    private readonly socket: WebSocket,
    readonly speech: Speech,
  ) {
    socket.on('message', (data: Buffer) => this.receive(JSON.parse(data.toString('utf8')) as Answer));
    socket.on('error', () => undefined);
    this.closed = new Promise((done) => {
      socket.on('close', (code) => {
        this.ended ??= String(code);
        done();
      });
    });
  }

  /** Connects, and sends the opening. */
  static async open(address: string, speech: Speech): Promise<Device> {
    const socket = new WebSocket(`${address.replace('http', 'ws')}/v1/stream`, { perMessageDeflate: false });
    const device = new Device(socket, speech);
    await Promise.race([new Promise<void>((done) => socket.once('open', done)), device.closed]);
    device.sendRaw(speech.opening);
    return device;
  }

  /** Sends the next packet; false where that was the last one, or the stream is over. */
  send(): boolean {
    const packet = this.speech.packets[this.next];
    if (packet === undefined || this.ended !== null) return false;
    this.sentAt.push(performance.now());
    this.next++;
    this.sendRaw(packet);
    return this.next < this.speech.packets.length;
  }

  sendRaw(bytes: Uint8Array): void {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(bytes);
  }

  /** Reads no more, as a client that hangs. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Goes away without a word. */
  vanish(): void {
    this.ended ??= 'vanished';
    this.socket.terminate();
  }

  private receive({ type, words = [], code }: Answer): void {
    for (const { word } of words) if (type === 'update') this.words.push(word);
    if (type === 'update' || type === 'final') {
      const sent = this.sentAt[this.latencies.length];
      if (sent !== undefined) this.latencies.push((performance.now() - sent) / 1000);
    }
    if (type === 'final') {
      this.ended = 'final';
      this.words.splice(0, this.words.length, ...words.map(({ word }) => word));
    }
    if (type === 'error') this.ended = code ?? 'error';
  }
}
