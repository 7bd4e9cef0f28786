/** One stream for every option of the format, made from seeded codewords: what test/fixtures/streams.json holds. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readStream, type StreamHeader, writeStream } from '../../src/bitstream/index.js';
import { decodeStage, encodeStage, FrequencyTable, frequenciesFromCounts } from '../../src/entropy/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { repository } from '../support/shared.js';

export interface GoldenStream {
  readonly name: string;
  readonly vectors: number;
  /** Frequencies of each stage, the escape's last. */
  readonly tables: readonly (readonly number[])[];
  readonly header: StreamHeader;
  /** [vectors][stages]. */
  readonly indices: readonly (readonly number[])[];
  readonly hex: string;
}

interface Wanted {
  readonly name: string;
  readonly stages: number;
  readonly codewords: number;
  readonly vectors: number;
  readonly samples: number;
  readonly vectorsPerPacket: number;
  /** How unlike the codewords are: 0 for all alike, 1 for even use. */
  readonly spread: number;
  /** Codewords that the tables have never seen. */
  readonly unseen?: number;
}

const WANTED: readonly Wanted[] = [
  {
    name: 'one packet, one stage',
    stages: 1,
    codewords: 16,
    vectors: 40,
    samples: 24_000,
    vectorsPerPacket: 0,
    spread: 0.3,
  },
  {
    name: 'one packet, three stages',
    stages: 3,
    codewords: 256,
    vectors: 31,
    samples: 80_000,
    vectorsPerPacket: 0,
    spread: 0.5,
  },
  {
    name: 'packed: nothing to save',
    stages: 2,
    codewords: 256,
    vectors: 9,
    samples: 9000,
    vectorsPerPacket: 0,
    spread: 1,
  },
  {
    name: 'packed at a width that is no power of two',
    stages: 1,
    codewords: 5,
    vectors: 6,
    samples: 32_767,
    vectorsPerPacket: 0,
    spread: 1,
  },
  {
    name: 'one codeword: no bits at all',
    stages: 1,
    codewords: 1,
    vectors: 20,
    samples: 32_768,
    vectorsPerPacket: 0,
    spread: 0,
  },
  {
    name: 'escapes',
    stages: 2,
    codewords: 64,
    vectors: 60,
    samples: 60_000,
    vectorsPerPacket: 0,
    spread: 0.2,
    unseen: 20,
  },
  {
    name: 'one escape only',
    stages: 1,
    codewords: 8,
    vectors: 50,
    samples: 4_194_303,
    vectorsPerPacket: 0,
    spread: 0.3,
    unseen: 1,
  },
  {
    name: 'a long checksum',
    stages: 1,
    codewords: 256,
    vectors: 400,
    samples: 4_194_304,
    vectorsPerPacket: 0,
    spread: 0.7,
  },
  {
    name: 'several packets',
    stages: 2,
    codewords: 32,
    vectors: 47,
    samples: 150_000,
    vectorsPerPacket: 10,
    spread: 0.4,
  },
  {
    name: 'packets with long checksums',
    stages: 2,
    codewords: 256,
    vectors: 500,
    samples: 2 ** 33,
    vectorsPerPacket: 240,
    spread: 0.8,
  },
  {
    name: 'packets of one vector',
    stages: 1,
    codewords: 16,
    vectors: 5,
    samples: 16_000,
    vectorsPerPacket: 1,
    spread: 0.5,
  },
  {
    name: 'a packet length of two bytes',
    stages: 1,
    codewords: 4,
    vectors: 300,
    samples: 960_000,
    vectorsPerPacket: 200,
    spread: 0.3,
  },
  {
    name: 'fifteen stages',
    stages: 15,
    codewords: 16,
    vectors: 8,
    samples: 25_600,
    vectorsPerPacket: 0,
    spread: 0.4,
  },
  { name: 'no samples', stages: 2, codewords: 16, vectors: 0, samples: 0, vectorsPerPacket: 0, spread: 0.4 },
];

function made(wanted: Wanted, seed: number): GoldenStream {
  const { name, stages, codewords, vectors, samples, vectorsPerPacket, spread, unseen = 0 } = wanted;
  const random = createRandom(seed);
  const draw = (): number => Math.floor(codewords * random() ** (1 / Math.max(0.05, spread)));
  const indices = Array.from({ length: vectors }, () => Array.from({ length: stages }, draw));
  const tables = Array.from({ length: stages }, () => {
    const counts = new Array<number>(codewords).fill(1);
    for (let n = 0; n < 2000; n++) counts[draw()]!++;
    // The first codewords are the frequent ones: what is unseen is used, but not often.
    for (let v = 0; v < unseen; v++) counts[codewords - 1 - v] = 0;
    return [...frequenciesFromCounts(counts)];
  });
  const coders = tables.map((table) => new FrequencyTable(Int32Array.from(table)));
  const header: StreamHeader = {
    codebooks: stages,
    fingerprint: 0x01020304 + seed,
    samples,
    vectorsPerPacket,
  };
  const length = vectorsPerPacket === 0 ? Math.max(1, vectors) : vectorsPerPacket;
  const packets = Array.from({ length: Math.max(1, Math.ceil(vectors / length)) }, (_, p) =>
    coders.map((table, s) =>
      encodeStage(
        indices.slice(p * length, (p + 1) * length).map((vector) => vector[s]!),
        table,
      ),
    ),
  );
  const hex = Buffer.from(writeStream(header, packets)).toString('hex');
  return { name, vectors, tables, header, indices, hex };
}

export const goldenStreams = (): GoldenStream[] => WANTED.map((wanted, n) => made(wanted, n + 1));

/** The streams of the fixture. */
export const readGolden = (): GoldenStream[] =>
  JSON.parse(readFileSync(join(repository, 'test/fixtures/streams.json'), 'utf8')) as GoldenStream[];

export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

/** Indices as this repository reads them; null where a packet is damaged. */
export function indicesOf(bytes: Uint8Array, { vectors, tables, header }: GoldenStream): (number[] | null)[] {
  const { codebooks, vectorsPerPacket } = header;
  const length = vectorsPerPacket === 0 ? vectors : vectorsPerPacket;
  const expected = vectorsPerPacket === 0 ? 1 : Math.ceil(vectors / vectorsPerPacket);
  const { packets } = readStream(bytes, () => expected);
  const found: (number[] | null)[] = new Array<null>(vectors).fill(null);
  packets.forEach((packet, p) => {
    if (packet === null) return;
    const count = Math.min(length, vectors - p * length);
    const stages = packet.map((run, s) =>
      decodeStage(run, count, new FrequencyTable(Int32Array.from(tables[s]!))),
    );
    for (let n = 0; n < count; n++) {
      found[p * length + n] = Array.from({ length: codebooks }, (_, s) => stages[s]![n]!);
    }
  });
  return found;
}
