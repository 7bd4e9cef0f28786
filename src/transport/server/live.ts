/** What decodes live streams, packet by packet: the server is written against this and knows no codec. */
import type { Word } from '../../tasks/recognition.js';
import type { AcomError } from '../../tensor/index.js';

/** What a stream came to so far. */
export interface LiveUpdate {
  /** Words that are final since the last update. */
  readonly words: readonly Word[];
  /** What is heard after them and may yet change; null where there is nothing. */
  readonly partial: string | null;
  /** Packets missing so far. */
  readonly lost: number;
  readonly packets: number;
  /** Seconds of audio so far. */
  readonly seconds: number;
  /** Whether the last packet came: nothing follows. */
  readonly done: boolean;
}

/** One stream. Both throw AcomErrors about what came, after which the stream is of no more use. */
export interface LiveDecoding {
  receive(message: Uint8Array): LiveUpdate;
  /** Makes what was heard so far final. */
  finish(): LiveUpdate;
}

export interface LiveDecoder {
  /** Begins a stream with its first message. Throws FormatError, ModelMismatchError. */
  open(opening: Uint8Array): LiveDecoding;
  /** A message each of several streams in one batch; an error is that of its own stream only. */
  receiveAll(
    batch: readonly { readonly stream: LiveDecoding; readonly message: Uint8Array }[],
  ): (LiveUpdate | AcomError)[];
}
