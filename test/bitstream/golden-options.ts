/** What the golden streams are of: one for every option of the format and every corner of it. */
import { CODINGS, type Coding } from '../../src/bitstream/index.js';

export interface Wanted {
  readonly name: string;
  readonly coding: Coding;
  readonly stages: number;
  /** Stages of the model; as many as the stream has where left out. */
  readonly modelStages?: number;
  readonly codewords: number;
  readonly vectors: number;
  readonly samples: number;
  readonly vectorsPerPacket: number;
  /** Stages of each packet, over and over; packets vary where it is there. */
  readonly carried?: readonly number[];
  /** How unlike the codewords are: 0 for all alike, 1 for even use. */
  readonly spread: number;
  /** How many of the vectors are the one before again. */
  readonly repeated: number;
  /** Codewords that the tables have never seen. */
  readonly unseen?: number;
  /** The run likes what training hardly saw. */
  readonly foreign?: boolean;
  /** Numbers of a context. */
  readonly dimensions?: number;
  /** Numbers of the context tables as large as they get, and as small. */
  readonly extreme?: boolean;
}

const USUAL = {
  coding: 'order-0',
  stages: 2,
  codewords: 16,
  vectors: 47,
  samples: 150_000,
  vectorsPerPacket: 0,
  spread: 0.3,
  repeated: 0.1,
} as const;

const ofEachCoding = CODINGS.flatMap((coding): Wanted[] => [
  { ...USUAL, coding, name: `${coding}, one packet` },
  { ...USUAL, coding, name: `${coding}, several packets`, vectorsPerPacket: 10 },
  {
    ...USUAL,
    coding,
    name: `${coding}, several packets that vary`,
    stages: 3,
    vectorsPerPacket: 10,
    carried: [3, 1, 0, 2, 3],
  },
  { ...USUAL, coding, name: `${coding}, one codeword: no bits at all`, codewords: 1, samples: 32_768 },
  { ...USUAL, coding, name: `${coding}, no samples`, vectors: 0, samples: 0 },
]);

const ofEachModel = CODINGS.slice(1).flatMap((coding): Wanted[] => [
  {
    ...USUAL,
    coding,
    name: `${coding}, packed since there is nothing to save`,
    vectors: 9,
    spread: 1,
    repeated: 0,
  },
  { ...USUAL, coding, name: `${coding}, codewords no power of two`, codewords: 11, samples: 32_767 },
  {
    ...USUAL,
    coding,
    name: `${coding}, packets of one vector`,
    stages: 4,
    vectors: 5,
    vectorsPerPacket: 1,
    spread: 0.05,
  },
  { ...USUAL, coding, name: `${coding}, fewer stages than the model`, modelStages: 5 },
  { ...USUAL, coding, name: `${coding}, silence`, vectors: 300, repeated: 0.97, samples: 4_194_303 },
  {
    ...USUAL,
    coding,
    name: `${coding}, what training hardly saw`,
    stages: 1,
    vectors: 300,
    spread: 0.15,
    repeated: 0,
    foreign: true,
  },
  { ...USUAL, coding, name: `${coding}, packets longer than the recording`, vectorsPerPacket: 2 ** 28 - 1 },
]);

export const WANTED: readonly Wanted[] = [
  ...ofEachCoding,
  ...ofEachModel,
  { ...USUAL, name: 'one stage', stages: 1, samples: 24_000 },
  {
    ...USUAL,
    coding: 'packed',
    name: 'packed at a width that is no power of two',
    stages: 1,
    codewords: 5,
    vectors: 6,
  },
  { ...USUAL, name: 'escapes', codewords: 64, vectors: 60, spread: 0.2, unseen: 20 },
  {
    ...USUAL,
    coding: 'adaptive',
    name: 'counts of what was never seen',
    codewords: 64,
    spread: 0.2,
    unseen: 20,
  },
  { ...USUAL, name: 'one escape only', stages: 1, codewords: 8, unseen: 1, samples: 4_194_304 },
  { ...USUAL, name: 'a long checksum', codewords: 128, vectors: 200, spread: 0.7 },
  { ...USUAL, coding: 'context', name: 'a long checksum of contexts', stages: 4, vectors: 250, spread: 0.6 },
  {
    ...USUAL,
    coding: 'adaptive',
    name: 'packets with long checksums',
    codewords: 64,
    vectors: 480,
    vectorsPerPacket: 230,
    spread: 0.8,
    samples: 2 ** 33,
  },
  {
    ...USUAL,
    name: 'lengths of two bytes',
    codewords: 32,
    vectors: 300,
    vectorsPerPacket: 140,
    spread: 0.6,
    repeated: 0,
  },
  {
    ...USUAL,
    coding: 'context',
    name: 'lengths of two bytes that vary',
    stages: 5,
    vectors: 64,
    vectorsPerPacket: 16,
    carried: [5, 2, 4],
    spread: 0.7,
  },
  { ...USUAL, name: 'fifteen stages', stages: 15, vectors: 8, spread: 0.4 },
  { ...USUAL, coding: 'adaptive', name: 'fifteen stages, counted on', stages: 15, vectors: 8 },
  {
    ...USUAL,
    coding: 'context',
    name: 'fifteen stages of contexts that vary',
    stages: 15,
    codewords: 8,
    vectors: 30,
    vectorsPerPacket: 6,
    carried: [15, 7, 1, 0, 14],
  },
  {
    ...USUAL,
    coding: 'adaptive',
    name: 'packets that carry nothing',
    vectors: 31,
    vectorsPerPacket: 10,
    carried: [0],
  },
  { ...USUAL, coding: 'context', name: 'contexts of 32 numbers', codewords: 7, dimensions: 32 },
  {
    ...USUAL,
    coding: 'context',
    name: 'contexts at their limits',
    stages: 3,
    vectors: 150,
    repeated: 0.9,
    extreme: true,
  },
];
