/** What decodes live streams, packet by packet, as the server sees it: LiveDecoder of src/codec, or a stand-in. */
import type { LiveUpdate } from '../../codec/live-decoder.js';
import type { AcomError } from '../../tensor/index.js';

export type { LiveUpdate };

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
