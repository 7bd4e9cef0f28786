/** Indices to .acom bytes and back: entropy tables, packets, checks. Both halves have one; no network is in it. */

import type { StreamHeader } from '../bitstream/header.js';
import { type Packet, readStream, truncateCodebooks, writeStream } from '../bitstream/stream.js';
import type { FrequencyTable } from '../entropy/frequency-table.js';
import { decodeStage, encodeStage } from '../entropy/stage-coder.js';
import {
  asBytes,
  type Bytes,
  CorruptStreamError,
  FormatError,
  ModelMismatchError,
  type NdArray,
  view,
} from '../tensor/index.js';
import type { CodecConfig, Task } from './config.js';
import { crcText } from './model-file.js';
import { mostSeconds, type Timing } from './timing.js';
import { timingOf } from './timing-of.js';

/** What a stream carries, before it is words. */
export interface StreamIndices {
  readonly header: StreamHeader;
  /** Codebooks that the stream has, of every group. */
  readonly codebooks: number;
  /** [vectors, codebooks · groups]; -1 where a packet was lost. */
  readonly indices: NdArray<Int32Array>;
  /** One line for each thing that was wrong with the stream but did not stop reading it. */
  readonly warnings: readonly string[];
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

/** What is gone with a packet. */
const LOST: Readonly<Record<Task, string>> = { recognition: 'words', classification: 'clips' };

export class StreamCoder {
  readonly timing: Timing;
  /** Stages that a codebook more adds: one for each group. */
  readonly groups: number;

  constructor(
    readonly config: CodecConfig,
    readonly fingerprint: number,
    private readonly tables: readonly FrequencyTable[],
  ) {
    this.timing = timingOf(config);
    this.groups = config.quantizer.groups ?? 1;
  }

  /** Bytes of indices, vector after vector, that stand for `samples` samples at the model's rate. */
  write(indices: ArrayLike<number>, codebooks: number, samples: number, packetVectors: number): Uint8Array {
    const stages = codebooks * this.groups;
    const vectors = indices.length / stages;
    const single = vectors <= packetVectors;
    const packets: Packet[] = [];
    for (let from = 0; from < (single ? 1 : vectors); from += packetVectors) {
      const count = Math.min(packetVectors, vectors - from);
      packets.push(
        this.tables.slice(0, stages).map((table, stage) => {
          const codewords = Int32Array.from(
            { length: count },
            (_, n) => indices[(from + n) * stages + stage]!,
          );
          return encodeStage(codewords, table);
        }),
      );
    }
    const vectorsPerPacket = single ? 0 : packetVectors;
    const { fingerprint } = this;
    return writeStream({ codebooks: stages, fingerprint, samples, vectorsPerPacket }, packets);
  }

  /**
   * Reads a stream. Throws FormatError for what is no .acom stream, ModelMismatchError for a stream of another
   * model, CorruptStreamError where no packet survived.
   */
  read(bytes: Bytes): StreamIndices {
    const { header, packets, trailingBytes } = readStream(bytes, (found) => this.packetCount(found));
    const { codebooks: stages, samples, vectorsPerPacket } = header;
    const survivors = packets.filter((packet) => packet !== null).length;
    this.requireOurs(header, survivors);
    // Before anything is decoded: it throws where the header claims too much.
    const expected = this.packetCount(header);
    const vectors = this.timing.vectors(samples);
    const packetVectors = vectorsPerPacket === 0 ? vectors : vectorsPerPacket;
    const data = new Int32Array(vectors * stages).fill(-1);
    packets.forEach((packet, number) => {
      const from = number * packetVectors;
      packet?.forEach((stage, s) => {
        const codewords = decodeStage(stage, Math.min(packetVectors, vectors - from), this.tables[s]!);
        codewords.forEach((codeword, n) => {
          data[(from + n) * stages + s] = codeword;
        });
      });
    });
    const warnings: string[] = [];
    if (survivors < expected) {
      warnings.push(
        `${expected - survivors} of ${expected} packets are damaged or missing: ${LOST[this.config.task]} in them are lost`,
      );
    } else if (trailingBytes > 0) {
      warnings.push(`${trailingBytes} bytes after the last packet belong to no packet and were ignored`);
    }
    const codebooks = stages / this.groups;
    return { header, codebooks, indices: view(data, [vectors, stages]), warnings };
  }

  /** The same recording by its first `codebooks` codebooks only, without decoding. */
  truncate(bytes: Bytes, codebooks: number): Uint8Array {
    return truncateCodebooks(bytes, codebooks * this.groups);
  }

  /** Bit rates of a stream of this model. */
  rates(from: Bytes): StreamRates {
    const bytes = asBytes(from, '.acom stream');
    const { header, codebooks, indices } = this.read(bytes);
    const seconds = this.timing.seconds(header.samples);
    const perSecond = (bits: number) => (seconds === 0 ? 0 : bits / seconds);
    let entropyBits = 0;
    indices.data.forEach((index, i) => {
      if (index >= 0) entropyBits += this.tables[i % header.codebooks]!.costBits(index);
    });
    const rawBits = indices.data.length * Math.log2(this.config.quantizer.codewords);
    return {
      seconds,
      bytes: bytes.length,
      codebooks,
      rawBitRate: perSecond(rawBits),
      entropyBitRate: perSecond(entropyBits),
      codedBitRate: perSecond(8 * bytes.length),
    };
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
  private requireOurs({ fingerprint, codebooks }: StreamHeader, survivors: number): void {
    const names = `the model of fingerprint ${crcText(fingerprint)}; this is ${this.config.name}, ${crcText(this.fingerprint)}`;
    if (survivors === 0) {
      const other = fingerprint === this.fingerprint ? '' : ` (it names ${names})`;
      throw new CorruptStreamError(
        `the stream is damaged: none of its packets has a right checksum${other}; get it again from its source`,
      );
    }
    if (fingerprint !== this.fingerprint) {
      throw new ModelMismatchError(
        `this stream was made with ${names}: decode it with the model that encoded it`,
      );
    }
    if (codebooks > this.tables.length || codebooks % this.groups !== 0) {
      throw new ModelMismatchError(
        `the stream has ${codebooks} stages; the model has ${this.tables.length}, ${this.groups} for each codebook: ` +
          'cut streams with the truncate of a model, which counts in codebooks',
      );
    }
  }
}
