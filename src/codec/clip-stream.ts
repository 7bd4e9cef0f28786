/** The step stream of a classifier: one clip after another through the device's layers, each on its own. */

import { FloatQueue } from '../audio/float-queue.js';
import type { Prefix } from '../nn/network.js';
import { reshape, type Tensor } from '../tensor/index.js';
import type { ClipTiming } from './clip-timing.js';
import { ModelSound, type OnSteps, type StepStream } from './step-stream.js';

/** What turns the samples of a clip into steps at the cut. */
export interface ClipNetwork {
  /** Features [frames, features] of a clip. */
  features(samples: Float32Array): Tensor;
  readonly prefix: Prefix;
}

export class ClipStream implements StepStream {
  private readonly sound: ModelSound;
  private readonly pending = new FloatQueue();
  /** Clips already handed out. */
  private done = 0;

  constructor(
    private readonly network: ClipNetwork,
    private readonly timing: ClipTiming,
    sampleRate: number,
    private readonly onSteps: OnSteps,
  ) {
    this.sound = new ModelSound(timing, sampleRate);
  }

  get samples(): number {
    return this.sound.samples;
  }

  push(samples: Float32Array): void {
    this.take(this.sound.push(samples));
  }

  finish(): void {
    this.take(this.sound.finish());
    if (this.timing.clips(this.samples) > this.done) this.run(this.pending.length);
  }

  private take(samples: Float32Array): void {
    this.pending.append(samples);
    while (this.pending.length >= this.timing.clipSamples) this.run(this.timing.clipSamples);
  }

  /** The next clip, of `length` samples. */
  private run(length: number): void {
    const { data, start } = this.pending;
    const clip = new Float32Array(this.timing.filled(length));
    clip.set(data.subarray(start, start + length));
    this.pending.drop(length);
    const features = this.network.features(clip);
    const steps = this.network.prefix.forward(reshape(features, [1, ...features.shape]));
    const { from, to } = this.timing.clip(this.samples, this.done);
    this.onSteps(steps.pick(0, null, null), { start: from, from, to, end: to });
    this.done++;
  }
}
