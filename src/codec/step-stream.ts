/** Samples in, time steps at the cut out: the part of the device half that comes before the quantiser. */
import { createResampler, type ResamplerStream } from '../audio/resample.js';
import { AudioError, requireSamples, type Tensor, UsageError } from '../tensor/index.js';
import { requireLength, type Timing } from './timing.js';
import type { Window } from './windows.js';

/** Steps [n, bands · channels] of a window, context included. */
export type OnSteps = (steps: Tensor, window: Window) => void;

/** Runs a device network over one recording, given in pieces of any length and at any rate. */
export interface StepStream {
  /** Samples at the model's rate so far. */
  readonly samples: number;
  push(samples: Float32Array): void;
  finish(): void;
}

/** The device half's network and what stands before it: makes a stream for a recording of any sample rate. */
export type DeviceNetwork = (sampleRate: number, onSteps: OnSteps) => StepStream;

/**
 * Larger samples are no sound in any scale (16 bits as whole numbers reach 32,768), and far larger ones would
 * overflow in the resampler and come out as wrong words.
 */
const LARGEST_SAMPLE = 1e6;

/** Checks the pieces of one recording. */
class SoundCheck {
  private received = 0;
  private finished = false;

  constructor(private readonly sampleRate: number) {}

  /** Throws UsageError for what is no samples or comes too late, AudioError at the first sample that is no sound. */
  push(samples: Float32Array): void {
    if (this.finished)
      throw new UsageError('this stream is finished: start a new one for the next recording');
    requireSamples(samples);
    for (let i = 0; i < samples.length; i++) {
      // NaN fails this too.
      if (Math.abs(samples[i]!) <= LARGEST_SAMPLE) continue;
      const at = this.received + i;
      const advice = Number.isFinite(samples[i])
        ? `at most ${LARGEST_SAMPLE}: divide whole numbers by their full scale`
        : 'and finite: repair the recording';
      throw new AudioError(
        `sample ${at} (${(at / this.sampleRate).toFixed(3)} s) is ${samples[i]}; samples are nominally from -1 to 1, ${advice}`,
      );
    }
    this.received += samples.length;
  }

  finish(): void {
    if (this.finished) throw new UsageError('this stream is finished already');
    this.finished = true;
  }
}

/** One recording in pieces of any length and at any rate, as samples at the model's rate. */
export class ModelSound {
  /** Samples at the model's rate so far. */
  samples = 0;
  private readonly check: SoundCheck;
  private readonly resampler: ResamplerStream;

  constructor(
    private readonly timing: Timing,
    sampleRate: number,
  ) {
    this.check = new SoundCheck(sampleRate);
    this.resampler = createResampler(sampleRate, timing.sampleRate);
  }

  /** Throws UsageError for what is no samples, comes too late or is too long, AudioError for what is no sound. */
  push(samples: Float32Array): Float32Array {
    this.check.push(samples);
    return this.counted(this.resampler.push(samples));
  }

  /** The samples that the resampler held back. */
  finish(): Float32Array {
    this.check.finish();
    return this.counted(this.resampler.finish());
  }

  private counted(samples: Float32Array): Float32Array {
    // Before anything is counted: what came before can still be ended.
    requireLength(this.timing, this.samples + samples.length);
    this.samples += samples.length;
    return samples;
  }
}
