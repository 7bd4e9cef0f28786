/** On the audio thread: what the microphone gives, mixed to one channel, goes over a port to the worker. */
import type { SoundPiece } from './messages.js';

/** What of an audio worklet's scope is used; the library of types lacks it. */
declare class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

/** The first message has the port to send to, the second one ends the sound. */
export type WorkletMessage = { readonly port: MessagePort } | 'end';

/** Samples of a message: some 20 ms, so that messages are few and nobody waits. */
const BATCH = 1024;

class Microphone extends AudioWorkletProcessor {
  private out: MessagePort | null = null;
  private batch = new Float32Array(BATCH);
  private filled = 0;
  private isOver = false;

  constructor() {
    super();
    this.port.onmessage = ({ data }: MessageEvent<WorkletMessage>) => {
      if (data === 'end') this.end();
      else this.out = data.port;
    };
  }

  /** One quantum of every channel; false once there is nothing more to do. */
  process([channels = []]: readonly (readonly Float32Array[])[]): boolean {
    if (this.out === null || this.isOver) return !this.isOver;
    const samples = channels[0]?.length ?? 0;
    for (let i = 0; i < samples; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i]!;
      this.batch[this.filled++] = sum / channels.length;
      if (this.filled === BATCH) this.flush();
    }
    return true;
  }

  private end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.flush();
    this.send(null);
    this.out?.close();
  }

  private flush(): void {
    if (this.filled > 0) this.send(this.batch.slice(0, this.filled));
    this.filled = 0;
  }

  private send(piece: SoundPiece): void {
    this.out?.postMessage(piece, piece === null ? [] : [piece.buffer]);
  }
}

registerProcessor('acom-microphone', Microphone);
