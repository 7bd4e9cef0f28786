/** Writes FLAC files of constant blocks: small files that stand for much. */

/** Remainder of bytes by a polynomial of `bits` bits, most significant bit first. */
function crc(bytes: readonly number[], bits: 8 | 16, polynomial: number): number {
  const top = 2 ** (bits - 1);
  let remainder = 0;
  for (const byte of bytes) {
    remainder ^= byte << (bits - 8);
    for (let i = 0; i < 8; i++) {
      remainder = remainder & top ? ((remainder << 1) ^ polynomial) & (2 * top - 1) : remainder << 1;
    }
  }
  return remainder;
}

const u16 = (n: number): number[] => [n >> 8, n & 255];

export interface FlacSettings {
  readonly sampleRate: number;
  readonly channels: number;
  /** Samples of every channel that the header promises; 0 where it does not say. */
  readonly promised: number;
  /** Samples of every channel in a block. */
  readonly blockSamples: number;
  /** A value for each block and channel, 16 bits. */
  readonly blocks: readonly (readonly number[])[];
  /** Rate of the last block, where it is to differ. */
  readonly lastRate?: number;
}

/** A FLAC file of 16 bits, rates up to 65,535 samples a second. */
export function constantFlac(settings: FlacSettings): Uint8Array {
  const { sampleRate, channels, promised, blockSamples, blocks, lastRate = sampleRate } = settings;
  const bytes = [
    ...new TextEncoder().encode('fLaC'),
    ...[0x80, 0, 0, 34],
    ...[...u16(blockSamples), ...u16(blockSamples), 0, 0, 0, 0, 0, 0],
    // 20 bits of rate, 3 of channels - 1, 5 of bits - 1, 36 of samples
    ...[sampleRate >> 12, (sampleRate >> 4) & 255, ((sampleRate & 15) << 4) | ((channels - 1) << 1), 0xf0],
    ...[...u16(Math.floor(promised / 65536)), ...u16(promised % 65536)],
    ...new Array<number>(16).fill(0),
  ];
  for (const [number, values] of blocks.entries()) {
    const rate = number === blocks.length - 1 ? lastRate : sampleRate;
    const counted = new TextEncoder().encode(String.fromCodePoint(number));
    const header = [0xff, 0xf8, 0x7d, ((channels - 1) << 4) | 8, ...counted];
    header.push(...u16(blockSamples - 1), ...u16(rate));
    header.push(crc(header, 8, 0x07));
    const frame = [...header, ...values.flatMap((value) => [0, ...u16(value & 0xffff)])];
    for (const byte of [...frame, ...u16(crc(frame, 16, 0x8005))]) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}
