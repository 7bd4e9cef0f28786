/** Indices to .acom bytes and back: coding, packets, checks. Both halves have one; no network is in it. */

import { checksumBytes } from '../bitstream/checksums.js';
import { type Coding, type StreamHeader, varintBytes } from '../bitstream/header.js';
import { type LiveHeader, parseOpening } from '../bitstream/live.js';
import { type Packet, readStream, writeStream } from '../bitstream/stream.js';
import {
  asBytes,
  type Bytes,
  CorruptStreamError,
  FormatError,
  ModelMismatchError,
  type NdArray,
  UsageError,
  view,
} from '../tensor/index.js';
import type { Codings } from './codings.js';
import type { CodecConfig, Task } from './config.js';
import { crcText } from './model-file.js';
import { PacketBudget } from './packet-budget.js';
import { mostSeconds, type Timing } from './timing.js';
import { timingOf } from './timing-of.js';

/** What a stream carries, before it is words. */
export interface StreamIndices {
  readonly header: StreamHeader;
  /** Codebooks that the stream has, of every group. */
  readonly codebooks: number;
  /** [vectors, codebooks · groups]; -1 where a packet was lost, or has not so many codebooks. */
  readonly indices: NdArray<Int32Array>;
  /** One line for each thing that was wrong with the stream but did not stop reading it. */
  readonly warnings: readonly string[];
}

/** How indices become a stream. */
export interface WriteSettings {
  /** Codebooks of the indices. */
  readonly codebooks: number;
  /** Vectors of a packet. */
  readonly packetVectors: number;
  /** Left out: the best that the model has. */
  readonly coding?: Coding | undefined;
  /** Bits a second that the stream must keep to, by leaving codebooks out. Left out: none are. */
  readonly targetBitRate?: number | undefined;
}

/** Bit rates of one stream over the seconds that it carries. */
export interface StreamRates {
  readonly seconds: number;
  readonly bytes: number;
  readonly codebooks: number;
  /** Codewords at a fixed number of bits each, nothing else. */
  readonly rawBitRate: number;
  /** What an ideal coder with the model's order-0 tables would spend, nothing else. */
  readonly entropyBitRate: number;
  /** Every byte of the file. */
  readonly codedBitRate: number;
}

const damagedWhole = (): CorruptStreamError =>
  new CorruptStreamError(
    'truncate: the stream is damaged, and would be passed off as whole; get it again from its source',
  );

/** Longest packet of a live stream. */
const MOST_PACKET_SECONDS = 60;

const NOTHING: Packet = { stages: 0, run: new Uint8Array() };

/** Bytes of a packet in a stream. */
function sizeOf({ stages, run }: Packet, { varying, codebooks, vectorsPerPacket }: StreamHeader): number {
  const length = varying ? run.length * (codebooks + 1) + stages : run.length;
  const body = run.length + (vectorsPerPacket === 0 ? 0 : varintBytes(length).length);
  return body + checksumBytes(body);
}

/** What is gone with a packet. */
const LOST: Readonly<Record<Task, string>> = { recognition: 'words', classification: 'clips' };

export class StreamCoder {
  readonly timing: Timing;
  /** Stages that a codebook more adds: one for each group. */
  readonly groups: number;

  constructor(
    readonly config: CodecConfig,
    readonly fingerprint: number,
    private readonly codings: Codings,
  ) {
    this.timing = timingOf(config);
    this.groups = config.quantizer.groups ?? 1;
  }

  /** What streams are coded by where nothing else is asked for. */
  get coding(): Coding {
    return this.codings.best;
  }

  /** Bytes of indices, vector after vector, that stand for `samples` samples at the model's rate. */
  write(indices: ArrayLike<number>, samples: number, settings: WriteSettings): Uint8Array {
    const { codebooks, packetVectors, coding = this.codings.best, targetBitRate } = settings;
    const stages = codebooks * this.groups;
    const vectors = indices.length / stages;
    const single = vectors <= packetVectors;
    const header: StreamHeader = {
      coding,
      varying: targetBitRate !== undefined && !single,
      codebooks: stages,
      fingerprint: this.fingerprint,
      samples,
      vectorsPerPacket: single ? 0 : packetVectors,
    };
    /** The first `used` codebooks of a packet's vectors. */
    const packetOf = (from: number, used: number): Packet => {
      const own = used * this.groups;
      const count = Math.min(packetVectors, vectors - from);
      const run = Int32Array.from(
        { length: count * own },
        (_, i) => indices[(from + Math.floor(i / own)) * stages + (i % own)]!,
      );
      return { stages: own, run: this.codings.encode({ indices: run, stages: own }, coding) };
    };
    const starts = Array.from(
      { length: single ? 1 : Math.ceil(vectors / packetVectors) },
      (_, p) => p * packetVectors,
    );
    if (targetBitRate === undefined) {
      return writeStream(
        header,
        starts.map((from) => packetOf(from, codebooks)),
      );
    }
    const seconds = single ? this.timing.seconds(samples) : packetVectors / this.timing.vectorsPerSecond;
    const budget = new PacketBudget((targetBitRate * seconds) / 8);
    const packets = starts.map((from) => {
      const choices = Array.from({ length: codebooks }, (_, k) => packetOf(from, k + 1));
      const chosen = budget.spend(
        choices.map((packet) => sizeOf(packet, header)),
        sizeOf(NOTHING, header),
      );
      return choices[chosen] ?? (single ? choices[0]! : NOTHING);
    });
    // One packet says in the header how many codebooks it has.
    return writeStream(single ? { ...header, codebooks: packets[0]!.stages } : header, packets);
  }

  /**
   * Reads a stream. Throws FormatError for what is no .acom stream, ModelMismatchError for a stream of another
   * model, CorruptStreamError where no packet survived.
   */
  read(bytes: Bytes): StreamIndices {
    const { header, packets, trailingBytes } = readStream(bytes, (found) => this.packetCount(found));
    const { codebooks: stages, samples, vectorsPerPacket } = header;
    this.requireOurs(header, packets);
    // Before anything is decoded: it throws where the header claims too much.
    const expected = this.packetCount(header);
    const vectors = this.timing.vectors(samples);
    const data = new Int32Array(vectors * stages).fill(-1);
    let [survivors, empty] = [0, 0];
    packets.forEach((packet, number) => {
      const run = packet && this.decoded(packet, number, header);
      if (run === null) return;
      survivors++;
      if (packet!.stages === 0) empty++;
      const from = number * vectorsPerPacket;
      for (let at = 0, n = from; at < run.length; at += packet!.stages, n++) {
        data.set(run.subarray(at, at + packet!.stages), n * stages);
      }
    });
    if (survivors === 0) this.refuse(header);
    const warnings: string[] = [];
    if (survivors < expected) {
      warnings.push(
        `${expected - survivors} of ${expected} packets are damaged or missing: ${LOST[this.config.task]} in them are lost`,
      );
    } else if (trailingBytes > 0) {
      warnings.push(`${trailingBytes} bytes after the last packet belong to no packet and were ignored`);
    }
    if (empty > 0) {
      warnings.push(
        `${empty} of ${expected} packets carry nothing, to keep to the bit rate that was asked for: ${LOST[this.config.task]} in them are lost`,
      );
    }
    const codebooks = stages / this.groups;
    return { header, codebooks, indices: view(data, [vectors, stages]), warnings };
  }

  /**
   * The same recording by its first `codebooks` codebooks only. Throws CorruptStreamError for a stream that is not whole,
   * UsageError for more codebooks than it has.
   */
  truncate(bytes: Bytes, codebooks: number): Uint8Array {
    const { header, packets, trailingBytes } = readStream(bytes, (found) => this.packetCount(found));
    this.requireOurs(header, packets);
    const most = header.codebooks / this.groups;
    if (!Number.isInteger(codebooks) || codebooks < 1 || codebooks > most) {
      throw new UsageError(`truncate: ${codebooks} codebooks of a stream of ${most}`);
    }
    const stages = codebooks * this.groups;
    const fewer = packets.map((packet, number): Packet => {
      const run = packet && this.decoded(packet, number, header);
      if (run === null) throw damagedWhole();
      if (packet!.stages <= stages) return packet!;
      const indices = run.filter((_, i) => i % packet!.stages < stages);
      return { stages, run: this.codings.encode({ indices, stages }, header.coding) };
    });
    if (trailingBytes > 0 || fewer.length < this.packetCount(header)) throw damagedWhole();
    return writeStream({ ...header, codebooks: stages }, fewer);
  }

  /** Bit rates of a stream of this model. */
  rates(from: Bytes): StreamRates {
    const bytes = asBytes(from, '.acom stream');
    const { header, codebooks, indices } = this.read(bytes);
    const seconds = this.timing.seconds(header.samples);
    const perSecond = (bits: number) => (seconds === 0 ? 0 : bits / seconds);
    let entropyBits = 0;
    indices.data.forEach((index, i) => {
      if (index >= 0) entropyBits += this.codings.tables[i % header.codebooks]!.costBits(index);
    });
    const sent = indices.data.reduce((count, index) => count + (index >= 0 ? 1 : 0), 0);
    const rawBits = sent * Math.log2(this.config.quantizer.codewords);
    return {
      seconds,
      bytes: bytes.length,
      codebooks,
      rawBitRate: perSecond(rawBits),
      entropyBitRate: perSecond(entropyBits),
      codedBitRate: perSecond(8 * bytes.length),
    };
  }

  /** Vectors of the longest packet of a live stream. */
  get mostPacketVectors(): number {
    return this.timing.packetVectors(MOST_PACKET_SECONDS);
  }

  /** The most frequent codeword of each of the first `stages` stages. */
  frequent(stages: number): Int32Array {
    return Int32Array.from({ length: stages }, (_, stage) => this.codings.tables[stage]!.mostFrequent);
  }

  /** Codewords of whole vectors as a packet of a live stream carries them. */
  encodeRun(indices: Int32Array, codebooks: number, coding: Coding): Uint8Array {
    return this.codings.encode({ indices, stages: codebooks * this.groups }, coding);
  }

  /** And back. Throws FormatError for what no encoder made. */
  decodeRun(run: Uint8Array, vectors: number, { codebooks, coding }: LiveHeader): Int32Array {
    return this.codings.decode(run, vectors, codebooks, coding);
  }

  /** The header of a live stream. Throws FormatError for what opens none, ModelMismatchError for one of another model. */
  readOpening(bytes: Bytes): LiveHeader {
    const header = parseOpening(bytes);
    this.requireModel(header);
    const most = this.mostPacketVectors;
    if (header.vectorsPerPacket <= most) return header;
    throw new FormatError(
      'live stream',
      `packets of ${header.vectorsPerPacket} vectors, at most ${most} (${MOST_PACKET_SECONDS} s): use shorter ones`,
    );
  }

  /** Codewords of packet `number`; null where it is none of an encoder's, which its checksum missed. */
  private decoded(packet: Packet, number: number, header: StreamHeader): Int32Array | null {
    const { stages, run } = packet;
    if (stages === 0) return new Int32Array();
    if (stages % this.groups !== 0) return null;
    const vectors = this.timing.vectors(header.samples);
    const { vectorsPerPacket } = header;
    const count =
      vectorsPerPacket === 0 ? vectors : Math.min(vectorsPerPacket, vectors - number * vectorsPerPacket);
    try {
      return this.codings.decode(run, count, stages, header.coding);
    } catch (error) {
      if (error instanceof FormatError) return null;
      throw error;
    }
  }

  private packetCount({ samples, vectorsPerPacket }: StreamHeader): number {
    const seconds = this.timing.seconds(samples);
    const most = mostSeconds(this.timing);
    if (seconds > most) {
      throw new FormatError(
        '.acom stream',
        `the header claims ${Math.round(seconds)} s, more than the ${most} s that a stream carries: ` +
          'it is damaged, or of another model; get it again from its source',
      );
    }
    return vectorsPerPacket === 0 ? 1 : Math.ceil(this.timing.vectors(samples) / vectorsPerPacket);
  }

  /** Throws where a stream is another model's or too damaged to say. */
  private requireOurs(header: StreamHeader, packets: readonly (Packet | null)[]): void {
    if (packets.every((packet) => packet === null)) this.refuse(header);
    this.requireModel(header);
  }

  private requireModel(header: LiveHeader): void {
    const { fingerprint, codebooks } = header;
    if (fingerprint !== this.fingerprint) {
      throw new ModelMismatchError(
        `this stream was made with ${this.namesOf(header)}: decode it with the model that encoded it`,
      );
    }
    if (codebooks > this.codings.stages || codebooks % this.groups !== 0) {
      throw new ModelMismatchError(
        `the stream has ${codebooks} stages; the model has ${this.codings.stages}, ${this.groups} for each codebook: ` +
          'it was cut by something that did not know the model',
      );
    }
  }

  private refuse(header: StreamHeader): never {
    const other = header.fingerprint === this.fingerprint ? '' : ` (it names ${this.namesOf(header)})`;
    throw new CorruptStreamError(
      `the stream is damaged: none of its packets has a right checksum${other}; get it again from its source`,
    );
  }

  private namesOf({ fingerprint }: LiveHeader): string {
    return `the model of fingerprint ${crcText(fingerprint)}; this is ${this.config.name}, ${crcText(this.fingerprint)}`;
  }
}
