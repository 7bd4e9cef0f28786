/** The step stream of a recogniser: log-mel frames and the layers of the device, in windows that overlap. */

import { type FeatureStatistics, floorFeatures, normalizeGlobally } from '../audio/features.js';
import type { LogMel, LogMelStream } from '../audio/log-mel.js';
import type { Prefix } from '../nn/network.js';
import { concatenate, flat, reshape, type Tensor, view } from '../tensor/index.js';
import type { FrameTiming } from './frame-timing.js';
import { ModelSound, type OnSteps, type StepStream } from './step-stream.js';
import { WindowPlan } from './windows.js';

/** What turns samples into frames of the split layer. */
export interface FrameNetwork {
  readonly logMel: LogMel;
  readonly statistics: FeatureStatistics | null;
  readonly prefix: Prefix;
}

export class FrameStream implements StepStream {
  private readonly sound: ModelSound;
  private readonly mel: LogMelStream;
  private readonly plan: WindowPlan;
  /** Feature frames not yet done with; features[0] is frame `firstFeature`. */
  private features = new Float32Array(0);
  private firstFeature = 0;
  /** Vectors already handed out. */
  private kept = 0;
  private finished = false;

  constructor(
    private readonly network: FrameNetwork,
    private readonly timing: FrameTiming,
    sampleRate: number,
    private readonly onSteps: OnSteps,
  ) {
    this.sound = new ModelSound(timing, sampleRate);
    this.mel = network.logMel.stream();
    this.plan = new WindowPlan(timing.vectorsPerSecond);
  }

  get samples(): number {
    return this.sound.samples;
  }

  push(samples: Float32Array): void {
    this.append(this.mel.push(this.sound.push(samples)));
    this.run();
  }

  finish(): void {
    this.append(this.mel.push(this.sound.finish()));
    this.append(this.mel.finish());
    this.finished = true;
    if (this.samples > 0) this.run();
  }

  private append(frames: Tensor): void {
    this.features = concatenate([this.features, flat(frames)]);
  }

  /** Runs every window that is complete. */
  private run(): void {
    const { mels } = this.network.logMel.config;
    const { featuresPerVector } = this.timing;
    const features = this.firstFeature + this.features.length / mels;
    const vectors = this.finished
      ? this.timing.vectors(this.samples)
      : Math.floor(features / featuresPerVector);
    let window = this.plan.next(this.kept, vectors, this.finished);
    for (; window; window = this.plan.next(this.kept, vectors, this.finished)) {
      const from = window.start * featuresPerVector - this.firstFeature;
      const last = window.end === vectors && this.finished;
      const to = last ? features - this.firstFeature : window.end * featuresPerVector - this.firstFeature;
      const part = this.features.slice(from * mels, to * mels);
      this.onSteps(this.framesOf(view(part, [to - from, mels])), window);
      this.kept = window.to;
    }
    this.forget();
  }

  /** Log-mel features [features, mels] to frames of the split layer [frames, width]. */
  private framesOf(features: Tensor): Tensor {
    const { logMel, statistics, prefix } = this.network;
    // Below the largest of this window: in training it was that of the utterance, and the largest of a whole
    // recording is not known before its end.
    floorFeatures(features.data, logMel.config.topDecibels);
    const normalized = statistics
      ? normalizeGlobally(features, statistics.mean, statistics.deviation)
      : features;
    return prefix.forward(reshape(normalized, [1, ...features.shape])).pick(0, null, null);
  }

  /** Drops features that no later window begins with. */
  private forget(): void {
    const { mels } = this.network.logMel.config;
    const next = this.plan.earliest(this.kept) * this.timing.featuresPerVector;
    const drop = next - this.firstFeature;
    if (drop <= 0) return;
    this.features = this.features.slice(drop * mels);
    this.firstFeature = next;
  }
}
