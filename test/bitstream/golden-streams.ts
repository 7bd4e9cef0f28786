/** Streams made from seeded codewords and tables: what test/fixtures/streams.json holds, and what it is read with. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Packet, readStream, type StreamHeader, writeStream } from '../../src/bitstream/index.js';
import { Codings } from '../../src/codec/codings.js';
import { sumsOverTree } from '../../src/entropy/codeword-tree.js';
import {
  type ContextTables,
  contextShapes,
  FrequencyTable,
  frequenciesFromCounts,
} from '../../src/entropy/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { repository } from '../support/shared.js';
import { WANTED, type Wanted } from './golden-options.js';

/** Tables of contexts, each as one flat list. */
export interface GoldenContext {
  readonly dimensions: number;
  readonly leaves: readonly number[];
  readonly biases: readonly number[];
  readonly nodes: readonly number[];
  readonly previous: readonly number[];
  readonly second: readonly number[];
  readonly earlier: readonly number[];
}

export interface GoldenStream {
  readonly name: string;
  readonly vectors: number;
  readonly codewords: number;
  /** Frequencies of each stage of the model, the escape's last. */
  readonly tables: readonly (readonly number[])[];
  /** Null where the stream is not coded by them. */
  readonly context: GoldenContext | null;
  readonly header: StreamHeader;
  /** [vectors][stages], -1 where a packet does not carry so many. */
  readonly indices: readonly (readonly number[])[];
  readonly hex: string;
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Numbers 0 to n - 1 in a seeded order. */
function shuffled(n: number, random: () => number): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * random());
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Leaves in any order, biases as the stages are used, and contexts that shift them at random. */
function contextOf(wanted: Wanted, tables: readonly number[][], random: () => number): GoldenContext {
  const { codewords, dimensions = 4, extreme = false } = wanted;
  const shapes = contextShapes(tables.length, codewords, dimensions);
  const size = shapes.biases[1]!;
  const depth = Math.log2(size);
  const orders = tables.map(() => shuffled(size, random).slice(0, codewords));
  const biases = tables.flatMap((table, s) => {
    const used = new Array<number>(size).fill(0);
    orders[s]!.forEach((leaf, v) => {
      used[leaf] = table[v]!;
    });
    const below = sumsOverTree(used, depth);
    return Array.from({ length: size }, (_, node) => {
      if (extreme) return random() < 0.5 ? -32768 : 32767;
      return Math.round(256 * Math.log((below[2 * node + 1]! + 1) / (below[2 * node]! + 1)));
    });
  });
  const numbers = (shape: readonly number[]) =>
    Array.from({ length: product(shape) }, () => {
      if (extreme) return random() < 0.5 ? -128 : 127;
      return Math.floor(25 * random()) - 12;
    });
  return {
    dimensions,
    leaves: orders.flat(),
    biases,
    nodes: numbers(shapes.nodes),
    previous: numbers(shapes.previous),
    second: numbers(shapes.second),
    earlier: numbers(shapes.earlier),
  };
}

function contextTables({ context, codewords, tables }: GoldenStream): ContextTables | null {
  if (context === null) return null;
  return {
    codewords,
    stages: tables.length,
    dimensions: context.dimensions,
    leaves: Int16Array.from(context.leaves),
    biases: Int16Array.from(context.biases),
    nodes: Int8Array.from(context.nodes),
    previous: Int8Array.from(context.previous),
    second: Int8Array.from(context.second),
    earlier: Int8Array.from(context.earlier),
  };
}

const made = new WeakMap<GoldenStream, Codings>();

/** The models of a stream's codewords. */
export function codingsOf(stream: GoldenStream): Codings {
  let codings = made.get(stream);
  if (codings === undefined) {
    const tables = stream.tables.map((table) => new FrequencyTable(Int32Array.from(table)));
    codings = new Codings(tables, contextTables(stream));
    made.set(stream, codings);
  }
  return codings;
}

/** Vectors of each packet. */
export function vectorsOfPackets({ vectors, header }: GoldenStream): number[] {
  const { vectorsPerPacket } = header;
  if (vectorsPerPacket === 0) return [vectors];
  return Array.from({ length: Math.ceil(vectors / vectorsPerPacket) }, (_, p) =>
    Math.min(vectorsPerPacket, vectors - p * vectorsPerPacket),
  );
}

/** Codewords as they come: the first are the frequent ones. What the tables never saw are the last: used, but not often. */
function drawn(wanted: Wanted, random: () => number) {
  const { codewords, spread } = wanted;
  return () => Math.floor(codewords * random() ** (1 / Math.max(0.05, spread)));
}

function vectorsOf(wanted: Wanted, random: () => number): number[][] {
  const { stages, vectors, codewords, repeated, foreign = false } = wanted;
  const draw = drawn(wanted, random);
  const found: number[][] = [];
  for (let n = 0; n < vectors; n++) {
    const again = n > 0 && random() < repeated;
    const fresh = Array.from({ length: stages }, () => (foreign ? codewords - 1 - draw() : draw()));
    found.push(again ? found[n - 1]! : fresh);
  }
  return found;
}

function tablesOf(wanted: Wanted, random: () => number): number[][] {
  const { stages, modelStages = stages, codewords, unseen = 0 } = wanted;
  const draw = drawn(wanted, random);
  return Array.from({ length: modelStages }, () => {
    const counts = new Array<number>(codewords).fill(1);
    for (let n = 0; n < 2000; n++) counts[draw()]!++;
    for (let v = 0; v < unseen; v++) counts[codewords - 1 - v] = 0;
    return [...frequenciesFromCounts(counts)];
  });
}

function madeOf(wanted: Wanted, seed: number): GoldenStream {
  const { name, coding, stages, codewords, vectors, samples, vectorsPerPacket, carried } = wanted;
  const random = createRandom(seed);
  const whole = vectorsOf(wanted, random);
  const tables = tablesOf(wanted, random);
  const context = coding === 'context' ? contextOf(wanted, tables, random) : null;
  const header: StreamHeader = {
    coding,
    varying: carried !== undefined,
    codebooks: stages,
    fingerprint: 0x01020304 + seed,
    samples,
    vectorsPerPacket,
  };
  const indices: number[][] = [];
  const stream = { name, vectors, codewords, tables, context, header, indices, hex: '' };
  const codings = codingsOf(stream);
  const packets = vectorsOfPackets(stream).map((count, p): Packet => {
    const own = carried?.[p % carried.length] ?? stages;
    const sent = whole.slice(indices.length, indices.length + count).map((vector) => vector.slice(0, own));
    indices.push(...sent.map((vector) => [...vector, ...new Array<number>(stages - own).fill(-1)]));
    if (own === 0) return { stages: 0, run: new Uint8Array() };
    return {
      stages: own,
      run: codings.encode({ indices: Int32Array.from(sent.flat()), stages: own }, coding),
    };
  });
  return { ...stream, hex: Buffer.from(writeStream(header, packets)).toString('hex') };
}

export const goldenStreams = (): GoldenStream[] => WANTED.map((wanted, n) => madeOf(wanted, n + 1));

const FILE = join(repository, 'test/fixtures/streams.json');

/** The streams of the fixture. */
export const readGolden = (): GoldenStream[] => JSON.parse(readFileSync(FILE, 'utf8')) as GoldenStream[];

export const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

/** Indices as this repository reads them, -1 where a packet does not carry so many; null where it is damaged. */
export function indicesOf(bytes: Uint8Array, stream: GoldenStream): (number[] | null)[] {
  const { vectors } = stream;
  const counts = vectorsOfPackets(stream);
  const { header, packets } = readStream(bytes, () => counts.length);
  const { coding, codebooks } = header;
  const found: (number[] | null)[] = new Array<null>(vectors).fill(null);
  let from = 0;
  counts.forEach((count, p) => {
    const packet = packets[p] ?? null;
    const first = from;
    from += count;
    if (packet === null) return;
    const { stages, run } = packet;
    const codewords = stages === 0 ? [] : codingsOf(stream).decode(run, count, stages, coding);
    for (let n = 0; n < count; n++) {
      found[first + n] = Array.from({ length: codebooks }, (_, s) =>
        s < stages ? codewords[n * stages + s]! : -1,
      );
    }
  });
  return found;
}

export interface Place {
  readonly start: number;
  /** Of the run. */
  readonly from: number;
  /** Of the run. */
  readonly to: number;
  readonly end: number;
}

/** Where each packet of a whole stream of several lies. */
export function placesOf(bytes: Uint8Array, { header }: GoldenStream, headerBytes: number): Place[] {
  const places: Place[] = [];
  for (let start = headerBytes; start < bytes.length; ) {
    let from = start;
    let said = 0;
    do said += (bytes[from]! & 127) * 128 ** (from - start);
    while (bytes[from++]! >= 128);
    const to = from + (header.varying ? Math.floor(said / (header.codebooks + 1)) : said);
    const end = to + (to - start <= 255 ? 2 : 4);
    places.push({ start, from, to, end });
    start = end;
  }
  return places;
}
