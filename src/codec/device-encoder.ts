/**
 * The device half: samples -> features -> layers 1..M -> RVQ indices -> range coder -> .acom bytes.
 */
import type { VectorEncoder } from '../quantizer/vector-quantizer.js';
import { type NdArray, requireOptions, UsageError, view } from '../tensor/index.js';
import type { CodecConfig } from './config.js';
import type { DeviceNetwork, OnSteps, StepStream } from './step-stream.js';
import type { StreamCoder } from './stream-coder.js';
import { MOST_SECONDS } from './timing.js';
import { VectorLayout } from './vector-layout.js';

export interface EncodeOptions {
  /** Codebooks to use, 1 .. K; the model says how many where this is left out. */
  readonly codebooks?: number;
  /** Duration of a packet; a lost one costs that much. Default 30. */
  readonly packetSeconds?: number;
}

const DEFAULT_PACKET_SECONDS = 30;

/** Encodes one recording from pieces. */
export interface EncoderStream {
  /** Takes samples at the rate that the stream was made for. */
  push(samples: Float32Array): void;
  /** Ends the recording and gives its .acom bytes. */
  finish(): Uint8Array;
}

/** The device's part of a codec model. */
export class DeviceEncoder {
  readonly config: CodecConfig;
  private readonly layout: VectorLayout;

  constructor(
    /** Indices to bytes and back, and bit rates. */
    readonly coder: StreamCoder,
    private readonly network: DeviceNetwork,
    private readonly quantizer: VectorEncoder,
  ) {
    this.config = coder.config;
    this.layout = new VectorLayout(this.config);
  }

  /**
   * Encodes a whole recording: mono samples, nominally from -1 to 1, at any rate from 1 to 768 kHz. Throws
   * AudioError for samples or rates that are no sound, UsageError for arguments that make no sense.
   */
  encode(samples: Float32Array, sampleRate: number, options: EncodeOptions = {}): Uint8Array {
    const stream = this.stream(sampleRate, options);
    stream.push(samples);
    return stream.finish();
  }

  /** Encodes a recording piece by piece, in memory that does not grow with its length but for the indices. */
  stream(sampleRate: number, options: EncodeOptions = {}): EncoderStream {
    const codebooks = codebooksOf(this.config, options);
    const packetVectors = packetVectorsOf(this.coder, options);
    const { steps, indices } = this.indexStream(sampleRate, codebooks);
    return {
      push: (samples) => steps.push(samples),
      finish: () => {
        steps.finish();
        return this.coder.write(indices, codebooks, steps.samples, packetVectors);
      },
    };
  }

  /** Indices [vectors, codebooks · groups] of a whole recording: what is sent, before it is bytes. */
  quantize(samples: Float32Array, sampleRate: number, options: EncodeOptions = {}): NdArray<Int32Array> {
    const codebooks = codebooksOf(this.config, options);
    const { steps, indices } = this.indexStream(sampleRate, codebooks);
    steps.push(samples);
    steps.finish();
    const columns = codebooks * this.coder.groups;
    return view(Int32Array.from(indices), [indices.length / columns, columns]);
  }

  /** A step stream whose steps end up as `indices`, vector after vector. */
  private indexStream(sampleRate: number, codebooks: number): { steps: StepStream; indices: number[] } {
    const indices: number[] = [];
    const onSteps: OnSteps = (steps, { start, from, to }) => {
      const vectors = this.layout
        .toVectors(steps)
        .lo(from - start, 0)
        .hi(to - from);
      for (const index of this.quantizer.encode(vectors, codebooks).data) indices.push(index);
    };
    return { steps: this.network(sampleRate, onSteps), indices };
  }
}

/** The codebooks that options ask for; UsageError where the model has not so many. */
export function codebooksOf({ quantizer }: CodecConfig, options: EncodeOptions): number {
  requireOptions(options, 'encode');
  const { codebooks = quantizer.defaultCodebooks } = options;
  const most = quantizer.codebooks;
  if (Number.isInteger(codebooks) && codebooks >= 1 && codebooks <= most) return codebooks;
  throw new UsageError(
    `codebooks is ${codebooks}; this model has ${most}: use a whole number from 1 to ${most}`,
  );
}

/** Vectors of a packet that lasts as long as options ask for; UsageError for durations that make no sense. */
export function packetVectorsOf(
  { timing }: StreamCoder,
  { packetSeconds = DEFAULT_PACKET_SECONDS }: EncodeOptions,
): number {
  if (packetSeconds > 0 && packetSeconds <= MOST_SECONDS) return timing.packetVectors(packetSeconds);
  throw new UsageError(`packetSeconds is ${packetSeconds}; use a number above 0, at most ${MOST_SECONDS}`);
}
