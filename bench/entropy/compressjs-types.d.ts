/** What this benchmark calls of compressjs, which has no types of its own. */
declare module 'compressjs' {
  interface ByteSource {
    readByte(): number;
  }
  interface ByteSink {
    writeByte(byte: number): void;
  }
  export class RangeCoder {
    constructor(stream: ByteSource | ByteSink);
    encodeStart(first: number, bytes: number): void;
    encodeShift(frequency: number, below: number, shift: number): void;
    encodeFinish(): number;
    decodeStart(): void;
    decodeCulShift(shift: number): number;
    decodeUpdate(frequency: number, below: number, total: number): void;
  }
  interface Compressor {
    compressFile(input: Uint8Array): Uint8Array;
  }
  const compressjs: {
    readonly RangeCoder: typeof RangeCoder;
    readonly PPM: Compressor;
    readonly Dmc: Compressor;
  };
  export default compressjs;
}
