/**
 * The log-mel front end: samples in, feature frames out, at once or as a stream (push samples, get frames).
 *
 * Frames are centred: frame t covers fftSize samples around sample t · hopSamples, with silence before the
 * start and after the end, so N samples give 1 + floor(N / hopSamples) frames.
 */
import type { LogMelPlan } from '../../kernels/log-mel/reference.js';
import { logMelVariants } from '../../kernels/log-mel/variants.js';
import { kernelOf } from '../ops/dispatch.js';
import { type Tensor, UsageError, zeros } from '../tensor/index.js';
import { FloatQueue } from './float-queue.js';
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
const MOST_RATE = 1 << 22;
const positive = (value: number) => Number.isInteger(value) && value > 0;

export function checkFrontEnd(config: FrontEndConfig): void {
  const { fftSize, windowSamples, hopSamples, mels, minHertz, maxHertz, sampleRate } = config;
  const checks: readonly (readonly [boolean, string])[] = [
    [positive(sampleRate) && sampleRate <= MOST_RATE, `a sample rate of ${sampleRate}`],
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
  private readonly plan: LogMelPlan;

  constructor(config: FrontEndConfig) {
    checkFrontEnd(config);
    this.config = config;
    const { fftSize, windowSamples, hopSamples, mels, spectrum, compression } = config;
    this.plan = kernelOf(logMelVariants)(
      { size: fftSize, hop: hopSamples, mels, spectrum, compression },
      hammingWindow(windowSamples, fftSize),
      melFilters(config),
    );
  }

  /** Frames [T, mels] of a whole recording, without the floor of `topDecibels`. */
  frames(samples: Float32Array): Tensor {
    const { fftSize } = this.config;
    const padded = new Float32Array(samples.length + fftSize);
    padded.set(samples, Math.floor(fftSize / 2));
    return this.transform(frameCount(this.config, samples.length), padded, 0);
  }

  stream(): LogMelStream {
    const { fftSize, hopSamples } = this.config;
    /** Samples not yet done with, the silence before the start included. */
    const pending = new FloatQueue();
    pending.append(new Float32Array(Math.floor(fftSize / 2)));
    let received = 0;
    let produced = 0;
    const emit = (wanted: number): Tensor => {
      const complete = Math.floor((pending.length - fftSize) / hopSamples) + 1;
      const frames = Math.max(0, Math.min(wanted, complete));
      const out = this.transform(frames, pending.data, pending.start);
      pending.drop(frames * hopSamples);
      produced += frames;
      return out;
    };
    return {
      push(samples) {
        pending.append(samples);
        received += samples.length;
        return emit(Infinity);
      },
      finish: () => {
        pending.append(new Float32Array(fftSize));
        return emit(frameCount(this.config, received) - produced);
      },
    };
  }

  /** Frames of the samples from padded[offset] on. */
  private transform(frames: number, padded: Float32Array, offset: number): Tensor {
    const { mels } = this.config;
    const out = zeros([frames, mels]);
    this.plan.transform(frames, padded, offset, out.data, 0, mels);
    return out;
  }
}
