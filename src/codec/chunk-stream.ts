/** The step stream of a recogniser that runs in chunks: what it has heard is sent on at once, not at the end. */
import { type FeatureStatistics, normalizeGlobally } from '../audio/features.js';
import type { LogMel, LogMelStream } from '../audio/log-mel.js';
import type { EncoderMemory } from '../nn/chunk-memory.js';
import type { ChunkedPrefix } from '../nn/network.js';
import { flat, reshape, type Tensor, view } from '../tensor/index.js';
import type { FrameTiming } from './frame-timing.js';
import { ModelSound, type OnSteps, type StepStream } from './step-stream.js';

/** What turns samples into frames of the split layer, chunk by chunk. */
export interface ChunkNetwork {
  readonly logMel: LogMel;
  readonly statistics: FeatureStatistics | null;
  readonly chunks: ChunkedPrefix<EncoderMemory>;
}

export class ChunkStream implements StepStream {
  private readonly sound: ModelSound;
  private readonly mel: LogMelStream;
  private readonly memory: EncoderMemory;
  /** Feature frames of the context and of the chunk that is being gathered: room for both. */
  private readonly features: Float32Array;
  /** Feature frames in it, and time steps of context that they begin with. */
  private held = 0;
  private context = 0;
  /** Vectors already handed out. */
  private kept = 0;

  constructor(
    private readonly network: ChunkNetwork,
    private readonly timing: FrameTiming,
    sampleRate: number,
    private readonly onSteps: OnSteps,
  ) {
    const { chunks, logMel } = network;
    this.sound = new ModelSound(timing, sampleRate);
    this.mel = logMel.stream();
    this.memory = chunks.memory();
    this.features = new Float32Array((chunks.context + chunks.steps) * chunks.stride * logMel.config.mels);
  }

  get samples(): number {
    return this.sound.samples;
  }

  push(samples: Float32Array): void {
    this.append(this.mel.push(this.sound.push(samples)));
  }

  finish(): void {
    this.append(this.mel.push(this.sound.finish()));
    if (this.samples === 0) return;
    this.append(this.mel.finish());
    const { stride } = this.network.chunks;
    if (this.held > this.context * stride) this.run();
  }

  /** Takes feature frames, and runs every chunk that they fill. */
  private append(frames: Tensor): void {
    const { logMel, chunks } = this.network;
    const { mels } = logMel.config;
    const rows = flat(frames);
    for (let from = 0; from < rows.length; ) {
      const wanted = (this.context + chunks.steps) * chunks.stride - this.held;
      const count = Math.min(wanted, (rows.length - from) / mels);
      this.features.set(rows.subarray(from, from + count * mels), this.held * mels);
      this.held += count;
      from += count * mels;
      if (count === wanted) this.run();
    }
  }

  /** Runs the chunk that has been gathered, and keeps the end of it as the context of the next. */
  private run(): void {
    const { logMel, statistics, chunks } = this.network;
    const { mels } = logMel.config;
    const { held, context, memory } = this;
    const features = view(this.features, [held, mels]);
    const normalized = statistics
      ? normalizeGlobally(features, statistics.mean, statistics.deviation)
      : features;
    const steps = chunks.forward(reshape(normalized, [1, held, mels]), context, [memory]).pick(0, null, null);
    const to = this.kept + Math.ceil(steps.shape[0]! / this.timing.framesPerVector);
    this.onSteps(steps, { start: this.kept, from: this.kept, to, end: to });
    this.kept = to;
    this.context = chunks.context;
    const next = chunks.context * chunks.stride;
    this.features.copyWithin(0, (held - next) * mels, held * mels);
    this.held = next;
  }
}
