/** Packets of seeded bytes: nothing here decodes what they carry. */
import { type Packet, type StreamHeader, writeStream } from '../../src/bitstream/index.js';
import { createRandom } from '../../src/tensor/index.js';

export const several: StreamHeader = {
  coding: 'order-0',
  varying: false,
  codebooks: 2,
  fingerprint: 0xdeadbeef,
  samples: 200_000,
  vectorsPerPacket: 13,
};

export const single: StreamHeader = { ...several, codebooks: 1, samples: 24_000, vectorsPerPacket: 0 };

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** A packet as text, to compare; undefined for none. */
export const textOf = (packet: Packet | null | undefined): string | undefined =>
  packet ? `${packet.stages}: ${hex(packet.run)}` : undefined;

/** Packets of a header, as long as they may be or shorter; of any number of stages where it varies. */
export function randomPackets(
  header: StreamHeader,
  count: number,
  mostBytes: number,
  seed: number,
): Packet[] {
  const { codebooks, varying } = header;
  const random = createRandom(seed);
  const below = (n: number) => Math.floor(n * random());
  return Array.from({ length: count }, () => {
    const stages = varying ? below(codebooks + 1) : codebooks;
    const length = stages === 0 ? 0 : below(mostBytes + 1);
    return { stages, run: Uint8Array.from({ length }, () => below(256)) };
  });
}

/** An hour in packets of a second, as noise gives them: all of the same length, which is the hardest case. */
export function hourStream(count = 3600) {
  const random = createRandom(20);
  const packets = Array.from({ length: count }, () => ({
    stages: 1,
    run: Uint8Array.from({ length: 13 }, () => Math.floor(random() * 256)),
  }));
  const header = { ...several, codebooks: 1, samples: 8000 * count };
  const bytes = writeStream(header, packets);
  const size = bytes.length - 16 * count;
  /** The packet that byte `at` belongs to. */
  const packetAt = (at: number) => Math.floor((at - size) / 16);
  return { packets, bytes, size, packetAt };
}
