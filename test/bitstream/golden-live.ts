/** Live streams of the codewords of golden streams: what test/fixtures/live-streams.json holds, and what it is read with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeLivePacket, encodeOpening, parseLivePacket, parseOpening } from '../../src/bitstream/index.js';
import { CorruptStreamError, FormatError } from '../../src/tensor/index.js';
import { repository } from '../support/shared.js';
import { bytesOf, codingsOf, type GoldenStream } from './golden-streams.js';

/** Of the model that is pretended: samples of a feature frame, feature frames of a vector. */
export const HOP = 80;
export const FEATURES = 32;
const SAMPLES = HOP * FEATURES;

interface WantedLive {
  /** Of the golden stream whose codewords, tables and contexts these are. */
  readonly of: string;
  readonly vectorsPerPacket: number;
  /** Samples of the recording beyond those of all vectors but the last: 0 to SAMPLES - 1. */
  readonly beyond: number;
  /** What comes of its packets: by their numbers, in order. Left out: all. */
  readonly comes?: (packets: number) => number[];
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const but =
  (...lost: readonly number[]) =>
  (packets: number) =>
    range(0, packets).filter((n) => !lost.includes(n));

const WANTED: readonly WantedLive[] = [
  { of: 'packed, several packets', vectorsPerPacket: 4, beyond: 7 },
  { of: 'packed, several packets', vectorsPerPacket: 5, beyond: 79, comes: but(0, 4) },
  { of: 'order-0, several packets', vectorsPerPacket: 2, beyond: 80, comes: but(3, 4, 5) },
  { of: 'adaptive, several packets', vectorsPerPacket: 3, beyond: 2559, comes: but(1, 7) },
  { of: 'context, several packets', vectorsPerPacket: 1, beyond: 0, comes: but(0, 1, 9, 46) },
  // Late, twice, and the last one in the place of all that is between.
  { of: 'context, several packets', vectorsPerPacket: 2, beyond: 1, comes: () => [0, 2, 1, 2, 3, 0, 23] },
  { of: 'context, fewer stages than the model', vectorsPerPacket: 6, beyond: 1000, comes: but(2) },
  { of: 'order-0, codewords no power of two', vectorsPerPacket: 47, beyond: 500 },
  { of: 'adaptive, no samples', vectorsPerPacket: 2, beyond: 0 },
  { of: 'context, one codeword: no bits at all', vectorsPerPacket: 8, beyond: 3 },
  // Numbers go round; the longest gap that can be told, and packets as late as can be told.
  {
    of: 'order-0, silence',
    vectorsPerPacket: 1,
    beyond: 9,
    comes: (n) => [...range(0, 20), ...range(115, n)],
  },
  {
    of: 'adaptive, silence',
    vectorsPerPacket: 1,
    beyond: 9,
    comes: (n) => [...range(0, 140), 108, 130, ...range(141, 255), 223, ...range(255, n)],
  },
  { of: 'context, silence', vectorsPerPacket: 2, beyond: 9, comes: (n) => [95, 100, 69, ...range(101, n)] },
  { of: 'a long checksum of contexts', vectorsPerPacket: 240, beyond: 11 },
  { of: 'packets with long checksums', vectorsPerPacket: 200, beyond: 11, comes: but(1) },
  { of: 'fifteen stages', vectorsPerPacket: 300, beyond: 1234 },
];

export interface GoldenLive {
  readonly of: string;
  readonly vectorsPerPacket: number;
  readonly samples: number;
  /** Numbers of the packets that came, in their order. */
  readonly came: readonly number[];
  /** The opening, then what came, in hexadecimal digits. */
  readonly lines: readonly string[];
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Packet `number` of a golden stream that goes on. */
function packetOf(stream: GoldenStream, opening: Uint8Array, samples: number, number: number): Uint8Array {
  const { vectorsPerPacket, coding, codebooks } = parseOpening(opening);
  const from = number * vectorsPerPacket;
  const own = stream.indices.slice(from, from + vectorsPerPacket);
  return encodeLivePacket(opening, {
    number,
    run: codingsOf(stream).encode({ indices: Int32Array.from(own.flat()), stages: codebooks }, coding),
    lastSamples: from + vectorsPerPacket < stream.vectors ? null : samples - from * SAMPLES,
  });
}

function madeOf(wanted: WantedLive, golden: readonly GoldenStream[]): GoldenLive {
  const { of, vectorsPerPacket, beyond, comes = but() } = wanted;
  const stream = golden.find(({ name }) => name === of)!;
  const samples = stream.vectors === 0 ? 0 : (stream.vectors - 1) * SAMPLES + beyond;
  const opening = encodeOpening({ ...stream.header, vectorsPerPacket });
  const came = comes(Math.max(1, Math.ceil(stream.vectors / vectorsPerPacket)));
  const lines = [opening, ...came.map((number) => packetOf(stream, opening, samples, number))].map(hex);
  return { of, vectorsPerPacket, samples, came, lines };
}

export const goldenLive = (golden: readonly GoldenStream[]): GoldenLive[] =>
  WANTED.map((wanted) => madeOf(wanted, golden));

const FILE = join(repository, 'test/fixtures/live-streams.json');

/** The streams of the fixture. */
export const readGoldenLive = (): GoldenLive[] => JSON.parse(readFileSync(FILE, 'utf8')) as GoldenLive[];

/** What a reader makes of a live stream. */
export interface LiveAnswer {
  /** [vectors][stages] up to the end of what came, -1 where it never came. */
  readonly indices?: readonly (readonly number[])[];
  /** Of the recording, where its last packet came. */
  readonly samples?: number | null;
  /** The line at which it was damaged. */
  readonly damaged: number | null;
}

/** As this repository reads it. */
export function readByUs(lines: readonly string[], stream: GoldenStream): LiveAnswer {
  const indices: (readonly number[])[] = [];
  let samples: number | null = null;
  let [next, line] = [0, 0];
  try {
    const opening = bytesOf(lines[0]!);
    const { codebooks, coding, vectorsPerPacket } = parseOpening(opening);
    for (line = 1; line < lines.length; line++) {
      if (samples !== null) return { indices, samples, damaged: line };
      const { number, run, lastSamples } = parseLivePacket(opening, bytesOf(lines[line]!), next);
      if (number < next) continue;
      const before = number * vectorsPerPacket;
      const all = lastSamples === null ? null : before * SAMPLES + lastSamples;
      const vectors = all === null ? vectorsPerPacket : all && Math.floor(all / SAMPLES) + 1 - before;
      if (vectors > vectorsPerPacket) return { indices, samples, damaged: line };
      const found = codingsOf(stream).decode(run, vectors, codebooks, coding);
      while (indices.length < before) indices.push(new Array<number>(codebooks).fill(-1));
      for (let at = 0; at < found.length; at += codebooks) indices.push([...found.slice(at, at + codebooks)]);
      samples = all;
      next = number + 1;
    }
    return { indices, samples, damaged: null };
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof CorruptStreamError)) throw error;
    return line === 0 ? { damaged: 0 } : { indices, samples, damaged: line };
  }
}
