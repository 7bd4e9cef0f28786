/** Samples in, frames of the split layer out: the part of the device half that comes before the quantiser. */
import {
  createResampler,
  floorFeatures,
  type LogMel,
  type LogMelStream,
  normalizeGlobally,
  type ResamplerStream,
} from '../audio/index.js';
import type { ConformerPrefix } from '../nn/index.js';
import {
  AudioError,
  concatenate,
  flat,
  requireSamples,
  reshape,
  type Tensor,
  UsageError,
  view,
} from '../tensor/index.js';
import type { Timing } from './timing.js';
import type { Window, WindowPlan } from './windows.js';

/** The device half's network and what stands before it. */
export interface DeviceNetwork {
  readonly logMel: LogMel;
  readonly mean: Tensor;
  readonly deviation: Tensor;
  readonly prefix: ConformerPrefix;
}

/** Frames [frames, width] of a window, context included. */
export type OnFrames = (frames: Tensor, window: Window) => void;

/**
 * Larger samples are no sound in any scale (16 bits as whole numbers reach 32,768), and far larger ones would
 * overflow in the resampler and come out as wrong words.
 */
const LARGEST_SAMPLE = 1e6;

/** Throws AudioError at the first sample that is no sound; `before` samples came earlier. */
function requireSound(samples: Float32Array, before: number, sampleRate: number): void {
  for (let i = 0; i < samples.length; i++) {
    // NaN fails this too.
    if (Math.abs(samples[i]!) <= LARGEST_SAMPLE) continue;
    const at = before + i;
    const advice = Number.isFinite(samples[i])
      ? `at most ${LARGEST_SAMPLE}: divide whole numbers by their full scale`
      : 'and finite: repair the recording';
    throw new AudioError(
      `sample ${at} (${(at / sampleRate).toFixed(3)} s) is ${samples[i]}; samples are nominally from -1 to 1, ${advice}`,
    );
  }
}

/** Runs a device network over one recording, given in pieces of any length and at any rate. */
export class FrameStream {
  private readonly resampler: ResamplerStream;
  private readonly mel: LogMelStream;
  /** Feature frames not yet done with; features[0] is frame `firstFeature`. */
  private features = new Float32Array(0);
  private firstFeature = 0;
  /** Vectors already handed out. */
  private kept = 0;
  private received = 0;
  private resampled = 0;
  private finished = false;

  constructor(
    private readonly network: DeviceNetwork,
    private readonly timing: Timing,
    private readonly plan: WindowPlan,
    private readonly sampleRate: number,
    private readonly onFrames: OnFrames,
  ) {
    this.resampler = createResampler(sampleRate, timing.sampleRate);
    this.mel = network.logMel.stream();
  }

  /** Samples at the model's rate so far. */
  get samples(): number {
    return this.resampled;
  }

  push(samples: Float32Array): void {
    if (this.finished)
      throw new UsageError('this stream is finished: start a new one for the next recording');
    requireSamples(samples);
    requireSound(samples, this.received, this.sampleRate);
    this.received += samples.length;
    this.take(this.resampler.push(samples));
    this.run();
  }

  finish(): void {
    if (this.finished) throw new UsageError('this stream is finished already');
    this.take(this.resampler.finish());
    this.append(this.mel.finish());
    this.finished = true;
    if (this.resampled > 0) this.run();
  }

  private take(samples: Float32Array): void {
    this.resampled += samples.length;
    this.timing.requireLength(this.resampled);
    this.append(this.mel.push(samples));
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
      ? this.timing.vectors(this.resampled)
      : Math.floor(features / featuresPerVector);
    let window = this.plan.next(this.kept, vectors, this.finished);
    for (; window; window = this.plan.next(this.kept, vectors, this.finished)) {
      const from = window.start * featuresPerVector - this.firstFeature;
      const last = window.end === vectors && this.finished;
      const to = last ? features - this.firstFeature : window.end * featuresPerVector - this.firstFeature;
      const part = this.features.slice(from * mels, to * mels);
      this.onFrames(this.framesOf(view(part, [to - from, mels])), window);
      this.kept = window.to;
    }
    this.forget();
  }

  /** Log-mel features [features, mels] to frames of the split layer [frames, width]. */
  private framesOf(features: Tensor): Tensor {
    const { logMel, mean, deviation, prefix } = this.network;
    // Below the largest of this window: in training it was that of the utterance, and the largest of a whole
    // recording is not known before its end.
    floorFeatures(features.data, logMel.config.topDecibels);
    const normalized = normalizeGlobally(features, mean, deviation);
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
