import { UsageError } from '../tensor/index.js';

/** What recordings are read from: `fetch` and `Blob` give the one, Node's files the other. */
export type Bytes = Uint8Array | ArrayBuffer;

/** The bytes that `what` was given; whoever writes JavaScript may have passed anything. */
export function bytesOf(what: string, given: Bytes): Uint8Array {
  if (given instanceof Uint8Array) return given;
  if (given instanceof ArrayBuffer) return new Uint8Array(given);
  const kind = Object.prototype.toString.call(given).slice(8, -1);
  throw new UsageError(`${what} takes the bytes of a recording as Uint8Array or ArrayBuffer, not ${kind}`);
}
