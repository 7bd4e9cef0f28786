/**
 * How samples, clips, feature frames and vectors of a classifier count. A recording is clips in a row, each of the length
 * that the network was made for; a rest of at least half a clip is one more, a shorter one is left out. A clip with too
 * few samples for the network is filled up with silence.
 */
import { frontEndFrames } from '../audio/front-end.js';
import { kindOf } from '../nn/kinds.js';
import { clipSamplesOf, type NetworkModelConfig } from './config.js';
import type { Timing } from './timing.js';
import { VectorLayout } from './vector-layout.js';

/** One clip: its samples, before it is filled up, and the vectors that stand for it. */
export interface Clip {
  readonly startSample: number;
  readonly endSample: number;
  readonly from: number;
  readonly to: number;
}

export class ClipTiming implements Timing {
  readonly sampleRate: number;
  readonly clipSamples: number;
  readonly layout: VectorLayout;
  readonly vectorsPerSecond: number;
  /** Fewest samples that the network takes. */
  private readonly leastSamples: number;
  private readonly vectorsPerClip: number;

  constructor(private readonly config: NetworkModelConfig) {
    const { frontEnd, network } = config;
    this.sampleRate = frontEnd.sampleRate;
    this.clipSamples = clipSamplesOf(config);
    this.layout = new VectorLayout(config);
    const least = kindOf(network).leastFrames(network);
    let [low, high] = [1, this.clipSamples];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (frontEndFrames(frontEnd, middle) >= least) high = middle;
      else low = middle + 1;
    }
    this.leastSamples = low;
    this.vectorsPerClip = this.layout.vectors(this.steps(this.clipSamples));
    this.vectorsPerSecond = this.vectorsPerClip / (this.clipSamples / this.sampleRate);
  }

  seconds(samples: number): number {
    return samples / this.sampleRate;
  }

  /** Clips of a recording; none where there are no samples. */
  clips(samples: number): number {
    if (samples === 0) return 0;
    const rest = samples % this.clipSamples;
    return Math.max(1, Math.floor(samples / this.clipSamples) + (2 * rest >= this.clipSamples ? 1 : 0));
  }

  clip(samples: number, number: number): Clip {
    const startSample = number * this.clipSamples;
    const endSample = Math.min(samples, startSample + this.clipSamples);
    const from = number * this.vectorsPerClip;
    return {
      startSample,
      endSample,
      from,
      to: from + this.layout.vectors(this.steps(endSample - startSample)),
    };
  }

  vectors(samples: number): number {
    const clips = this.clips(samples);
    return clips === 0 ? 0 : this.clip(samples, clips - 1).to;
  }

  /** Samples of a clip of `samples` once it is filled up. */
  filled(samples: number): number {
    return Math.max(samples, this.leastSamples);
  }

  /** Time steps at the cut of a clip of `samples` samples. */
  steps(samples: number): number {
    const { frontEnd, network } = this.config;
    return kindOf(network).steps(network, this.layout.layer, frontEndFrames(frontEnd, this.filled(samples)));
  }

  /** Whole clips: a lost packet then costs no more than it must. */
  packetVectors(seconds: number): number {
    const clips = Math.round((seconds * this.sampleRate) / this.clipSamples);
    return Math.max(1, clips) * this.vectorsPerClip;
  }
}
