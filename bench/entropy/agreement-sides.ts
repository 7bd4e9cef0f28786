/** What Node and a page both do for bench:entropy-agreement: code seeded runs, and decode those of the other. */
import { crc32, crc32Word } from '../../src/bitstream/crc.js';
import type { Coding } from '../../src/bitstream/index.js';
import { Codings, contextTablesOf, FREQUENCIES, openModel } from '../../src/codec/index.js';
import type { BitCoder } from '../../src/entropy/bit-coder.js';
import {
  Adaptive,
  Context,
  FrequencyTable,
  packedBytes,
  RangeDecoder,
  RangeEncoder,
  type Run,
} from '../../src/entropy/index.js';
import type { NdArray } from '../../src/tensor/index.js';
import { seededRuns } from './agreement-runs.js';

/** Packed runs have nothing to agree on: the other codings have some among theirs. */
export type CheckedCoding = Exclude<Coding, 'packed'>;

/** CRC-32s after each run, each over all runs so far: the last is that of all, and the first that differs says where. */
export interface Trace {
  /** Over codewords, 2 bytes each, least significant first. */
  readonly codewords: number[];
  readonly bytes: number[];
  /** Over the sums of decisions; see Watched. Empty for order 0, whose probabilities do not change. */
  readonly decisions: number[];
}

interface Coders {
  readonly codings: Codings;
  /** Models that change as they go. */
  readonly models: {
    readonly 'order-0': undefined;
    readonly adaptive: Adaptive;
    readonly context: Context;
  };
}

/**
 * Sums up all decisions with their probabilities. Equal codewords say that a decoder's state was near enough to the encoder's;
 * equal sums say that it was the same at every decision: as each step can be undone, one that differs shows at the end.
 */
class Watched implements BitCoder {
  sum = 0;

  constructor(private readonly coder: BitCoder) {}

  code(bit: number, ones: number): number {
    const said = this.coder.code(bit, ones);
    this.sum = Math.imul(this.sum ^ (2 * ones + said), 0x01000193);
    return said;
  }
}

/** The coders of the first `stages` stages of a whole model. */
export async function openCoders(model: Uint8Array, stages: number): Promise<Coders> {
  const open = await openModel(model);
  const { codebooks, codewords, groups = 1 } = open.codec.quantizer;
  const tensors = await open.tensors('shared');
  const contexts = contextTablesOf(tensors, codebooks * groups, codewords);
  const frequencies = tensors.get(FREQUENCIES);
  if (contexts === null || !(frequencies?.data instanceof Int32Array))
    throw new Error('this model has no contexts');
  const { data, offset } = frequencies as NdArray<Int32Array>;
  const width = codewords + 1;
  const tables = Array.from(
    { length: stages },
    (_, s) => new FrequencyTable(data.slice(offset + s * width, offset + (s + 1) * width)),
  );
  return {
    codings: new Codings(tables, contexts),
    models: { 'order-0': undefined, adaptive: new Adaptive(tables), context: new Context(contexts) },
  };
}

const emptyTrace = (): Trace => ({ codewords: [], bytes: [], decisions: [] });

/** Notes a run; `decisions`: their sum, of what codes them. */
function note(trace: Trace, { indices }: Run, bytes: Uint8Array, decisions: number | undefined): void {
  const last = (crcs: readonly number[]) => crcs.at(-1) ?? 0;
  const codewords = new Uint8Array(2 * indices.length);
  for (let i = 0; i < indices.length; i++) {
    codewords[2 * i] = indices[i]! & 255;
    codewords[2 * i + 1] = indices[i]! >> 8;
  }
  trace.codewords.push(crc32(codewords, last(trace.codewords)));
  trace.bytes.push(crc32(bytes, last(trace.bytes)));
  if (decisions !== undefined) trace.decisions.push(crc32Word(decisions, last(trace.decisions)));
}

const isPacked = ({ tables }: Codings, { indices }: Run, bytes: Uint8Array): boolean =>
  bytes.length === packedBytes(indices.length, tables[0]!.codewords);

/**
 * All runs as a file: how many there are, then of each its vectors and its bytes, uint32 least significant first, then
 * the bytes of all.
 */
function fileOf(runs: readonly { readonly vectors: number; readonly bytes: Uint8Array }[]): Uint8Array {
  const head = 4 + 8 * runs.length;
  const file = new Uint8Array(runs.reduce((sum, { bytes }) => sum + bytes.length, head));
  const numbers = new DataView(file.buffer);
  numbers.setUint32(0, runs.length, true);
  let at = head;
  runs.forEach(({ vectors, bytes }, n) => {
    numbers.setUint32(4 + 8 * n, vectors, true);
    numbers.setUint32(8 + 8 * n, bytes.length, true);
    file.set(bytes, at);
    at += bytes.length;
  });
  return file;
}

/** Seeded runs, as bytes; `packed`: vectors of those that are packed, and so say nothing about states. */
export function encodeAll({ codings, models }: Coders, coding: CheckedCoding, vectors: number) {
  const trace = emptyTrace();
  const model = models[coding];
  const runs: { readonly vectors: number; readonly bytes: Uint8Array }[] = [];
  let packed = 0;
  for (const run of seededRuns(codings.tables, models.context, vectors)) {
    const bytes = codings.encode(run, coding);
    const count = run.indices.length / run.stages;
    const watched = new Watched(new RangeEncoder());
    if (isPacked(codings, run, bytes)) packed += count;
    else model?.encode(run, watched);
    note(trace, run, bytes, model && watched.sum);
    runs.push({ vectors: count, bytes });
  }
  return { file: fileOf(runs), trace, packed };
}

/** What such a file says. */
export function decodeAll({ codings, models }: Coders, coding: CheckedCoding, file: Uint8Array): Trace {
  const trace = emptyTrace();
  const model = models[coding];
  const stages = codings.stages;
  const numbers = new DataView(file.buffer, file.byteOffset);
  const count = numbers.getUint32(0, true);
  let at = 4 + 8 * count;
  for (let n = 0; n < count; n++) {
    const vectors = numbers.getUint32(4 + 8 * n, true);
    const bytes = file.subarray(at, at + numbers.getUint32(8 + 8 * n, true));
    at += bytes.length;
    const run = { indices: codings.decode(bytes, vectors, stages, coding), stages };
    const watched = new Watched(new RangeDecoder(bytes));
    if (!isPacked(codings, run, bytes))
      model?.decode({ indices: new Int32Array(run.indices.length), stages }, watched);
    note(trace, run, bytes, model && watched.sum);
  }
  return trace;
}
