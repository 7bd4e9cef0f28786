/**
 * The device half: samples -> log-mel -> layers 1..M -> RVQ indices -> range coder -> .acom bytes.
 */
import { poolFrames } from '../quantizer/pooling.js';
import type { ResidualQuantizer } from '../quantizer/residual-quantizer.js';
import { type NdArray, requireOptions, type Tensor, UsageError, view } from '../tensor/index.js';
import type { CodecConfig } from './config.js';
import { type DeviceNetwork, FrameStream } from './frame-stream.js';
import type { StreamCoder } from './stream-coder.js';
import { MOST_SECONDS, type Timing } from './timing.js';
import { type Window, WindowPlan } from './windows.js';

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
  private readonly timing: Timing;
  private readonly plan: WindowPlan;

  constructor(
    /** Indices to bytes and back, and bit rates. */
    readonly coder: StreamCoder,
    private readonly network: DeviceNetwork,
    readonly quantizer: ResidualQuantizer,
  ) {
    this.config = coder.config;
    this.timing = coder.timing;
    this.plan = new WindowPlan(this.timing.vectorsPerSecond);
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
    const codebooks = this.codebooksOf(options);
    const packetVectors = this.packetVectorsOf(options);
    const { frames, indices } = this.indexStream(sampleRate, codebooks);
    return {
      push: (samples) => frames.push(samples),
      finish: () => {
        frames.finish();
        return this.coder.write(indices, codebooks, frames.samples, packetVectors);
      },
    };
  }

  /** Indices [vectors, codebooks] of a whole recording: what is sent, before it is bytes. */
  quantize(samples: Float32Array, sampleRate: number, options: EncodeOptions = {}): NdArray<Int32Array> {
    const codebooks = this.codebooksOf(options);
    const { frames, indices } = this.indexStream(sampleRate, codebooks);
    frames.push(samples);
    frames.finish();
    return view(Int32Array.from(indices), [indices.length / codebooks, codebooks]);
  }

  /** A frame stream whose frames end up as `indices`, vector after vector. */
  private indexStream(sampleRate: number, codebooks: number): { frames: FrameStream; indices: number[] } {
    const indices: number[] = [];
    const onFrames = (frames: Tensor, { start, from, to }: Window): void => {
      const vectors = poolFrames(frames, this.config.quantizer.pooling)
        .lo(from - start, 0)
        .hi(to - from);
      for (const index of this.quantizer.encode(vectors, codebooks).data) indices.push(index);
    };
    const frames = new FrameStream(this.network, this.timing, this.plan, sampleRate, onFrames);
    return { frames, indices };
  }

  private codebooksOf(options: EncodeOptions): number {
    requireOptions(options, 'encode');
    const { codebooks = this.config.quantizer.defaultCodebooks } = options;
    const most = this.config.quantizer.codebooks;
    if (Number.isInteger(codebooks) && codebooks >= 1 && codebooks <= most) return codebooks;
    throw new UsageError(
      `codebooks is ${codebooks}; this model has ${most}: use a whole number from 1 to ${most}`,
    );
  }

  private packetVectorsOf({ packetSeconds = DEFAULT_PACKET_SECONDS }: EncodeOptions): number {
    if (!(packetSeconds > 0 && packetSeconds <= MOST_SECONDS)) {
      throw new UsageError(
        `packetSeconds is ${packetSeconds}; use a number above 0, at most ${MOST_SECONDS}`,
      );
    }
    return Math.max(1, Math.round(packetSeconds * this.timing.vectorsPerSecond));
  }
}
