/** What is drawn over time: waveform, codes, packets. */
import type { Word } from '../tasks/recognition.js';
import { PEAKS_PER_VECTOR } from './messages.js';

export interface TimelineShape {
  /** Rows of codes. */
  readonly rows: number;
  readonly codewords: number;
  readonly secondsPerVector: number;
  readonly packetVectors: number;
}

/** A packet: the vectors that it carries, and its bytes. */
export interface PacketMark {
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

export class TimelineData {
  /** Lowest and highest sample by turns, PEAKS_PER_VECTOR pairs a vector. */
  readonly peaks: number[] = [];
  /** Indices [rows] of each vector. */
  readonly codes: Int32Array[] = [];
  readonly packets: PacketMark[] = [];
  readonly words: Word[] = [];

  constructor(readonly shape: TimelineShape) {}

  addPeaks(peaks: Float32Array): void {
    for (const peak of peaks) this.peaks.push(peak);
  }

  addCodes(indices: Int32Array): void {
    const { rows } = this.shape;
    for (let at = 0; at < indices.length; at += rows) this.codes.push(indices.slice(at, at + rows));
  }

  /** The next packet: of the vectors that it should have, as many as there are. */
  addPacket(bytes: number): void {
    const { packetVectors } = this.shape;
    const from = this.packets.length * packetVectors;
    this.packets.push({ from, to: Math.min(from + packetVectors, this.codes.length), bytes });
  }

  /** Vectors that the timeline has room for: those of the sound, some of which may not be coded yet. */
  get vectors(): number {
    return Math.max(this.codes.length, Math.ceil(this.peaks.length / 2 / PEAKS_PER_VECTOR));
  }

  get seconds(): number {
    return this.vectors * this.shape.secondsPerVector;
  }

  /** What stands at a vector, for people. */
  describe(vector: number): string {
    const { secondsPerVector, codewords } = this.shape;
    const [from, to] = [vector, vector + 1].map((each) => (each * secondsPerVector).toFixed(2));
    const codes = this.codes[vector];
    if (codes === undefined) return `${from} to ${to} s: not coded yet`;
    const packet = this.packets.findIndex((each) => vector >= each.from && vector < each.to);
    const sent = packet < 0 ? 'not sent yet' : `packet ${packet + 1} of ${this.packets[packet]!.bytes} bytes`;
    const plural = codes.length === 1 ? 'codeword' : 'codewords';
    return `${from} to ${to} s: ${plural} ${codes.join(', ')} of ${codewords} each, ${sent}`;
  }
}
