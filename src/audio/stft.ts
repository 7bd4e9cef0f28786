/**
 * The short-time Fourier transform, of a whole recording or as a stream (push samples, get frames), framed as
 * the log-mel front end frames it: frame t covers fftSize samples around sample t · hopSamples, with silence
 * before the start and after the end, so N samples give 1 + floor(N / hopSamples) frames.
 */
import { fourierVariants } from '../../kernels/fourier/variants.js';
import { kernelOf } from '../ops/dispatch.js';
import { concatenate, type NdArray, UsageError, view } from '../tensor/index.js';
import type { FrontEndConfig } from './log-mel.js';
import { hammingWindow } from './mel.js';

export type StftConfig = Pick<FrontEndConfig, 'fftSize' | 'windowSamples' | 'hopSamples'>;

/** Real and imaginary parts [frames, floor(fftSize / 2) + 1]. */
export interface Spectrum {
  readonly real: NdArray<Float64Array>;
  readonly imaginary: NdArray<Float64Array>;
}

/** Computes the frames of one recording from pieces of any length. */
export interface StftStream {
  /** Takes samples and gives the frames that are now complete. */
  push(samples: Float32Array): Spectrum;
  /** The last frames. */
  finish(): Spectrum;
}

function checkConfig({ fftSize, windowSamples, hopSamples }: StftConfig): void {
  const within = (value: number, most: number) => Number.isInteger(value) && value > 0 && value <= most;
  if (within(fftSize, 2 ** 24) && within(windowSamples, fftSize) && within(hopSamples, fftSize)) return;
  throw new UsageError(
    `short-time Fourier transform: a window of ${windowSamples} and a hop of ${hopSamples} in an FFT of ` +
      `${fftSize} samples make no sense`,
  );
}

/** Transforms frames 0 .. frames - 1 of samples that begin where frame 0 begins. */
export type FrameTransform = (padded: Float32Array, frames: number) => Spectrum;

/** Frames of as many samples as the window has, `hopSamples` apart. */
export function createFrameTransform(window: Float64Array, hopSamples: number): FrameTransform {
  const fftSize = window.length;
  const plan = kernelOf(fourierVariants)(fftSize);
  const frame = new Float64Array(fftSize);
  return (padded, frames) => {
    const real = new Float64Array(frames * plan.bins);
    const imaginary = new Float64Array(frames * plan.bins);
    for (let t = 0; t < frames; t++) {
      for (let n = 0; n < fftSize; n++) frame[n] = padded[t * hopSamples + n]! * window[n]!;
      plan.transform(frame, 0, real.subarray(t * plan.bins), imaginary.subarray(t * plan.bins));
    }
    const shape = [frames, plan.bins];
    return { real: view(real, shape), imaginary: view(imaginary, shape) };
  };
}

function createTransform(config: StftConfig): FrameTransform {
  checkConfig(config);
  const { fftSize, windowSamples, hopSamples } = config;
  return createFrameTransform(hammingWindow(windowSamples, fftSize), hopSamples);
}

const silenceBefore = ({ fftSize }: StftConfig): Float32Array<ArrayBuffer> =>
  new Float32Array(Math.floor(fftSize / 2));
const frameCount = ({ hopSamples }: StftConfig, samples: number): number =>
  1 + Math.floor(samples / hopSamples);

/** All frames of a whole recording. */
export function shortTimeFourierTransform(samples: Float32Array, config: StftConfig): Spectrum {
  const transform = createTransform(config);
  const padded = concatenate([silenceBefore(config), samples, new Float32Array(config.fftSize)]);
  return transform(padded, frameCount(config, samples.length));
}

/** The same frames as they become complete. */
export function createStft(config: StftConfig): StftStream {
  const transform = createTransform(config);
  const { fftSize, hopSamples } = config;
  /** Samples not yet done with, the silence before the start included. */
  let pending = silenceBefore(config);
  let received = 0;
  let produced = 0;
  const emit = (frames: number): Spectrum => {
    const out = transform(pending, frames);
    pending = pending.slice(frames * hopSamples);
    produced += frames;
    return out;
  };
  return {
    push(samples) {
      pending = concatenate([pending, samples]);
      received += samples.length;
      return emit(Math.max(0, Math.floor((pending.length - fftSize) / hopSamples) + 1));
    },
    finish() {
      pending = concatenate([pending, new Float32Array(fftSize)]);
      return emit(frameCount(config, received) - produced);
    },
  };
}
