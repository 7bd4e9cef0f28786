/** The device half while somebody speaks: samples in, packets out as soon as their sound is there. */
import { CODINGS, type Coding } from '../bitstream/header.js';
import { encodeLivePacket, encodeOpening } from '../bitstream/live.js';
import { frameStride } from '../nn/conformer-ctc.js';
import { ModelError, UsageError } from '../tensor/index.js';
import { type CodecConfig, recognizerOf } from './config.js';
import type { StepStream } from './step-stream.js';
import type { StreamCoder } from './stream-coder.js';

export interface LiveOptions {
  /** Codebooks to use, 1 .. K; the model says how many where this is left out. */
  readonly codebooks?: number;
  /** Vectors of a packet: more of them cost fewer bytes and more patience. Default 2. */
  readonly packetVectors?: number;
  /** How codewords become bytes; default: the best that the model has. */
  readonly coding?: Coding;
  /** Hears indices [vectors, codebooks · groups] as soon as they are made, before their packet is full: to be copied. */
  readonly onIndices?: (indices: Int32Array) => void;
}

const DEFAULT_PACKET_VECTORS = 2;

/** How a model that runs in chunks cuts time. */
export interface LiveShape {
  readonly samplesPerVector: number;
  /** Packets have a multiple of so many vectors. */
  readonly vectorsPerChunk: number;
}

/** Throws ModelError where a model does not run in chunks. */
export function liveShape(config: CodecConfig): LiveShape {
  const chunks =
    config.network.type === 'speechbrain-conformer-ctc' ? config.network.encoder.chunks : undefined;
  if (chunks === undefined) {
    throw new ModelError(
      `${config.name} wants whole recordings: for live streams use a model that runs in chunks, such as commands-live`,
    );
  }
  const { network, frontEnd } = recognizerOf(config);
  const { pooling } = config.quantizer;
  return {
    samplesPerVector: frameStride(network) * frontEnd.hopSamples * pooling,
    vectorsPerChunk: chunks.frames / pooling,
  };
}

/**
 * Encodes one live stream. Messages are to be delivered whole and in order: the opening first, then what `push` and `finish`
 * give. What comes out does not depend on how the samples were cut into pieces.
 */
export class StreamingDeviceEncoder {
  /** The first message. */
  readonly opening: Uint8Array;
  private readonly steps: StepStream;
  private readonly codebooks: number;
  private readonly coding: Coding;
  private readonly packetSamples: number;
  private readonly onIndices: (indices: Int32Array) => void;
  /** Indices of the packet that is being gathered. */
  private readonly indices: Int32Array;
  private gathered = 0;
  private number = 0;
  private isEnding = false;
  private ready: Uint8Array[] = [];

  /** @internal; use DeviceEncoder.live. */
  constructor(
    private readonly coder: StreamCoder,
    {
      codebooks,
      packetVectors = DEFAULT_PACKET_VECTORS,
      coding = coder.coding,
      onIndices = () => undefined,
    }: LiveOptions & {
      readonly codebooks: number;
    },
    stream: (onIndices: (indices: Int32Array) => void) => StepStream,
  ) {
    const { samplesPerVector, vectorsPerChunk } = liveShape(coder.config);
    this.packetSamples = packetVectors * samplesPerVector;
    const most = coder.mostPacketVectors;
    const isCount = Number.isInteger(packetVectors) && packetVectors >= 1 && packetVectors <= most;
    if (!isCount || packetVectors % vectorsPerChunk !== 0) {
      const multiple = vectorsPerChunk > 1 ? `, a multiple of ${vectorsPerChunk}` : '';
      throw new UsageError(
        `packetVectors is ${packetVectors}; use a whole number from 1 to ${most}${multiple}`,
      );
    }
    if (!CODINGS.includes(coding)) {
      throw new UsageError(`coding is ${coding}; there are ${CODINGS.join(', ')}`);
    }
    this.codebooks = codebooks;
    this.coding = coding;
    this.onIndices = onIndices;
    const stages = codebooks * coder.groups;
    this.indices = new Int32Array(packetVectors * stages);
    this.opening = encodeOpening({
      coding,
      codebooks: stages,
      fingerprint: coder.fingerprint,
      vectorsPerPacket: packetVectors,
    });
    this.steps = stream((indices) => this.gather(indices));
  }

  /** Seconds of sound that have gone into packets. */
  get seconds(): number {
    return (this.number * this.packetSamples) / this.coder.timing.sampleRate;
  }

  /** Takes samples at the rate that the stream was made for; gives the packets that they complete. */
  push(samples: Float32Array): Uint8Array[] {
    this.steps.push(samples);
    return this.taken();
  }

  /** Ends the stream; gives the packets that are left, the last of which says how long the recording was. */
  finish(): Uint8Array[] {
    this.isEnding = true;
    this.steps.finish();
    const from = this.number * this.packetSamples;
    this.send(this.steps.samples - from);
    return this.taken();
  }

  private gather(indices: Int32Array): void {
    this.onIndices(indices);
    const isFull = () => this.gathered === this.indices.length;
    for (const index of indices) {
      if (isFull()) this.send(null);
      this.indices[this.gathered++] = index;
    }
    // A feature frame is half a window behind the samples, so there is one more to come and this is not the last packet.
    if (isFull() && !this.isEnding) this.send(null);
  }

  private send(lastSamples: number | null): void {
    const run =
      this.gathered === 0
        ? new Uint8Array()
        : this.coder.encodeRun(this.indices.slice(0, this.gathered), this.codebooks, this.coding);
    this.ready.push(encodeLivePacket(this.opening, { number: this.number, run, lastSamples }));
    this.number++;
    this.gathered = 0;
  }

  private taken(): Uint8Array[] {
    const packets = this.ready;
    this.ready = [];
    return packets;
  }
}
