/// <reference path="./compressjs-types.d.ts" />
/** compressjs: its range coder with a table that does not change, and its models of bytes. The one file that imports it. */
import compressjs from 'compressjs';

/** [cumulative[v], cumulative[v + 1]) of 2^bits is the share of symbol v. */
export function encodeShares(
  symbols: Int32Array,
  cumulative: Int32Array,
  bits: number,
  room: Uint8Array,
): number {
  let length = 0;
  const coder = new compressjs.RangeCoder({
    writeByte: (byte) => {
      room[length++] = byte;
    },
  });
  coder.encodeStart(0, 0);
  for (let i = 0; i < symbols.length; i++) {
    const below = cumulative[symbols[i]!]!;
    coder.encodeShift(cumulative[symbols[i]! + 1]! - below, below, bits);
  }
  coder.encodeFinish();
  return length;
}

/** `symbolAt` [2^bits]: the symbol of each part. */
export function decodeShares(
  bytes: Uint8Array,
  into: Int32Array,
  cumulative: Int32Array,
  bits: number,
  symbolAt: Uint8Array,
): void {
  let at = 0;
  const coder = new compressjs.RangeCoder({ readByte: () => bytes[at++] ?? -1 });
  coder.decodeStart();
  for (let i = 0; i < into.length; i++) {
    const symbol = symbolAt[coder.decodeCulShift(bits)]!;
    const below = cumulative[symbol]!;
    coder.decodeUpdate(cumulative[symbol + 1]! - below, below, 1 << bits);
    into[i] = symbol;
  }
}

/** Prediction by partial matching, and dynamic Markov coding. */
export const byteModels: Readonly<Record<string, (bytes: Uint8Array) => number>> = {
  'PPM (compressjs)': (bytes) => compressjs.PPM.compressFile(bytes).length,
  'DMC (compressjs)': (bytes) => compressjs.Dmc.compressFile(bytes).length,
};
