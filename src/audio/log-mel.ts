/**
 * The log-mel front end: samples in, feature frames out, at once or as a stream (push samples, get frames).
 *
 * Frames are centred: frame t covers fftSize samples around sample t · hopSamples, with silence before the
 * start and after the end, so N samples give 1 + floor(N / hopSamples) frames.
 */
import type { CreateFourierPlan } from '../../kernels/fourier/reference.js';
import { fourierVariants } from '../../kernels/fourier/variants.js';
import { logMelVariants } from '../../kernels/log-mel/variants.js';
import { kernelOf } from '../ops/index.js';
import { type Tensor, UsageError, zeros } from '../tensor/index.js';
import { hammingWindow, melFilters } from './mel.js';

/** Everything that defines a log-mel front end. Stored in codec models as it is. */
export interface FrontEndConfig {
  readonly sampleRate: number;
  readonly fftSize: number;
  readonly windowSamples: number;
  readonly hopSamples: number;
  readonly mels: number;
  readonly minHertz: number;
  readonly maxHertz: number;
  readonly spectrum: 'power' | 'magnitude';
  readonly compression: 'decibel' | 'log1p' | 'none';
  /** Features are raised to this many decibels below the largest of the recording; null: not at all. */
  readonly topDecibels: number | null;
}

const MOST_FFT = 1 << 16;
const MOST_MELS = 4096;
const positive = (value: number) => Number.isInteger(value) && value > 0;

export function checkFrontEnd(config: FrontEndConfig): void {
  const { fftSize, windowSamples, hopSamples, mels, minHertz, maxHertz, sampleRate } = config;
  const checks: readonly (readonly [boolean, string])[] = [
    [positive(sampleRate), `a sample rate of ${sampleRate}`],
    [positive(fftSize) && fftSize <= MOST_FFT, `an FFT of ${fftSize} samples`],
    [
      positive(windowSamples) && windowSamples <= fftSize,
      `a window of ${windowSamples} in an FFT of ${fftSize} samples`,
    ],
    [
      positive(hopSamples) && hopSamples <= fftSize,
      `a hop of ${hopSamples} with an FFT of ${fftSize} samples`,
    ],
    [positive(mels) && mels <= MOST_MELS, `${mels} mel filters`],
    [minHertz >= 0 && maxHertz > minHertz, `mel filters from ${minHertz} to ${maxHertz} Hz`],
  ];
  for (const [sensible, what] of checks) {
    if (!sensible) throw new UsageError(`front end: ${what} makes no sense`);
  }
}

/** Feature frames of `samples` samples. */
export const frameCount = ({ hopSamples }: FrontEndConfig, samples: number): number =>
  1 + Math.floor(samples / hopSamples);

/** Computes the frames of one recording from pieces of any length. */
export interface LogMelStream {
  /** Takes samples and gives the frames [n, mels] that are now complete. */
  push(samples: Float32Array): Tensor;
  /** The last frames [n, mels]. */
  finish(): Tensor;
}

/** Tables and scratch of a front end; makes any number of streams, one after another or interleaved. */
export class LogMel {
  readonly config: FrontEndConfig;
  private readonly plan: ReturnType<CreateFourierPlan>;
  private readonly window: Float64Array;
  private readonly filters: ReturnType<typeof melFilters>;
  private readonly scratch: Float64Array;

  constructor(config: FrontEndConfig) {
    checkFrontEnd(config);
    this.config = config;
    this.plan = kernelOf(fourierVariants)(config.fftSize);
    this.window = hammingWindow(config.windowSamples, config.fftSize);
    this.filters = melFilters(config);
    this.scratch = new Float64Array(config.fftSize + 2 * this.plan.bins);
  }

  /** Frames [T, mels] of a whole recording, without the floor of `topDecibels`. */
  frames(samples: Float32Array): Tensor {
    const stream = this.stream();
    const head = stream.push(samples);
    const tail = stream.finish();
    const { mels } = this.config;
    const out = zeros([head.shape[0]! + tail.shape[0]!, mels]);
    out.data.set(head.data);
    out.data.set(tail.data, head.data.length);
    return out;
  }

  stream(): LogMelStream {
    const { fftSize, hopSamples } = this.config;
    const before = Math.floor(fftSize / 2);
    /** Samples not yet done with, the silence before the start included. */
    let pending = new Float32Array(before);
    let received = 0;
    let produced = 0;
    const emit = (wanted: number): Tensor => {
      const complete = Math.floor((pending.length - fftSize) / hopSamples) + 1;
      const frames = Math.max(0, Math.min(wanted, complete));
      const out = this.transform(pending, frames);
      pending = pending.slice(frames * hopSamples);
      produced += frames;
      return out;
    };
    return {
      push(samples) {
        pending = joined(pending, samples);
        received += samples.length;
        return emit(Infinity);
      },
      finish: () => {
        pending = joined(pending, new Float32Array(fftSize));
        return emit(frameCount(this.config, received) - produced);
      },
    };
  }

  private transform(padded: Float32Array, frames: number): Tensor {
    const { hopSamples, mels, spectrum, compression } = this.config;
    const out = zeros([frames, mels]);
    kernelOf(logMelVariants)(
      { frames, hop: hopSamples, mels, spectrum, compression },
      this.plan,
      this.window,
      this.filters.weights,
      this.filters.bandStart,
      this.filters.bandEnd,
      padded,
      0,
      this.scratch,
      out.data,
      0,
      mels,
    );
    return out;
  }
}

function joined(a: Float32Array, b: Float32Array): Float32Array<ArrayBuffer> {
  const out = new Float32Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
