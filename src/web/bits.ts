/** Bits on the wire, and what others would have sent for the same seconds. */

/** Nominal: the lowest rate at which Opus is usually asked for speech. */
export const OPUS_BIT_RATE = 6000;
const PCM_BITS = 16;
const BYTE = 8;

/** Bytes of a WebSocket frame around a message of a client: head, longer lengths, mask (RFC 6455, 5.2). */
export const frameBytes = (length: number): number => 2 + (length > 65_535 ? 8 : length > 125 ? 2 : 0) + 4;

/** Counts what is sent in an utterance. */
export class WireCount {
  messages = 0;
  /** Bits of the opening and of packets. */
  bits = 0;
  /** The same with the frame of each message. */
  framedBits = 0;

  add({ length }: Uint8Array): void {
    this.messages++;
    this.bits += BYTE * length;
    this.framedBits += BYTE * (length + frameBytes(length));
  }
}

export interface Row {
  readonly name: 'acom' | 'framed' | 'opus' | 'pcm';
  readonly bits: number;
  /** Null before there is any sound. */
  readonly bitsPerSecond: number | null;
  /** How many times the bits of acom; null before there are any. */
  readonly times: number | null;
}

export function compare(count: WireCount, seconds: number, sampleRate: number): Row[] {
  const row = (name: Row['name'], bits: number): Row => ({
    name,
    bits,
    bitsPerSecond: seconds > 0 ? bits / seconds : null,
    times: count.bits > 0 ? bits / count.bits : null,
  });
  return [
    row('acom', count.bits),
    row('framed', count.framedBits),
    row('opus', OPUS_BIT_RATE * seconds),
    row('pcm', PCM_BITS * sampleRate * seconds),
  ];
}
