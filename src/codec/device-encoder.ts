/**
 * The device half: samples -> features -> layers 1..M -> RVQ indices -> range coder -> .acom bytes.
 */
import { CODINGS, type Coding } from '../bitstream/header.js';
import type { VectorEncoder } from '../quantizer/vector-quantizer.js';
import { type NdArray, requireOptions, UsageError, view } from '../tensor/index.js';
import type { CodecConfig } from './config.js';
import type { DeviceNetwork, OnSteps, StepStream } from './step-stream.js';
import type { StreamCoder, WriteSettings } from './stream-coder.js';
import { type LiveOptions, StreamingDeviceEncoder } from './streaming-encoder.js';
import { MOST_SECONDS } from './timing.js';
import { VectorLayout } from './vector-layout.js';

export interface EncodeOptions {
  /** Codebooks to use, 1 .. K; the model says how many where this is left out. */
  readonly codebooks?: number;
  /** Duration of a packet; a lost one costs that much. Default 30, or 5 with a target. */
  readonly packetSeconds?: number;
  /**
   * Bits a second, every byte counted, that the stream keeps to: each packet has as many codebooks as fit, of `codebooks` or else
   * all of the model's. No stretch of it has more than that rate gives it and one packet.
   */
  readonly targetBitRate?: number;
  /** How codewords become bytes; default: the best that the model has. */
  readonly coding?: Coding;
}

const DEFAULT_PACKET_SECONDS = 30;
const TARGETED_PACKET_SECONDS = 5;
/** Bytes of a packet that carries nothing: its length and its checksum. */
const EMPTY_PACKET = 3;

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
    const settings = writeSettingsOf(this.coder, options);
    const { steps, indices } = this.indexStream(sampleRate, settings.codebooks);
    return {
      push: (samples) => steps.push(samples),
      finish: () => {
        steps.finish();
        return this.coder.write(indices, steps.samples, settings);
      },
    };
  }

  /**
   * Encodes sound while it is heard, for a model that runs in chunks. Throws ModelError for other models, UsageError for options
   * that make no sense.
   */
  live(sampleRate: number, options: LiveOptions = {}): StreamingDeviceEncoder {
    const codebooks = codebooksOf(this.config, options);
    return new StreamingDeviceEncoder(this.coder, { ...options, codebooks }, (onIndices) =>
      this.vectorStream(sampleRate, codebooks, onIndices),
    );
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
    const steps = this.vectorStream(sampleRate, codebooks, (found) => {
      for (const index of found) indices.push(index);
    });
    return { steps, indices };
  }

  private vectorStream(
    sampleRate: number,
    codebooks: number,
    onIndices: (indices: Int32Array) => void,
  ): StepStream {
    const onSteps: OnSteps = (steps, { start, from, to }) => {
      const vectors = this.layout
        .toVectors(steps)
        .lo(from - start, 0)
        .hi(to - from);
      onIndices(this.quantizer.encode(vectors, codebooks).data);
    };
    return this.network(sampleRate, onSteps);
  }
}

/** The codebooks that options ask for; UsageError where the model has not so many. */
export function codebooksOf(
  { quantizer }: CodecConfig,
  options: Pick<EncodeOptions, 'codebooks' | 'targetBitRate'>,
): number {
  requireOptions(options, 'encode');
  const most = quantizer.codebooks;
  const { codebooks = options.targetBitRate === undefined ? quantizer.defaultCodebooks : most } = options;
  if (Number.isInteger(codebooks) && codebooks >= 1 && codebooks <= most) return codebooks;
  throw new UsageError(
    `codebooks is ${codebooks}; this model has ${most}: use a whole number from 1 to ${most}`,
  );
}

/** What options ask for of a stream; UsageError for what makes no sense. */
export function writeSettingsOf(coder: StreamCoder, options: EncodeOptions): WriteSettings {
  const codebooks = codebooksOf(coder.config, options);
  const { targetBitRate, coding } = options;
  const isTargeted = targetBitRate !== undefined;
  const { packetSeconds = isTargeted ? TARGETED_PACKET_SECONDS : DEFAULT_PACKET_SECONDS } = options;
  if (!(packetSeconds > 0 && packetSeconds <= MOST_SECONDS)) {
    throw new UsageError(`packetSeconds is ${packetSeconds}; use a number above 0, at most ${MOST_SECONDS}`);
  }
  if (isTargeted && !(targetBitRate > 0 && targetBitRate < Number.POSITIVE_INFINITY)) {
    throw new UsageError(`targetBitRate is ${targetBitRate}; use bits a second, a number above 0`);
  }
  const packetVectors = coder.timing.packetVectors(packetSeconds);
  const least = (8 * EMPTY_PACKET * coder.timing.vectorsPerSecond) / packetVectors;
  if (isTargeted && targetBitRate < least) {
    throw new UsageError(
      `targetBitRate is ${targetBitRate}; packets of ${packetSeconds} s without anything in them take ${least.toFixed(1)} ` +
        'bit/s already: use more, or longer packets',
    );
  }
  if (coding !== undefined && !CODINGS.includes(coding)) {
    throw new UsageError(`coding is ${coding}; there are ${CODINGS.join(', ')}`);
  }
  return { codebooks, packetVectors, coding, targetBitRate };
}
