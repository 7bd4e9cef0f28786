/** How samples, feature frames, encoder frames and vectors of a codec model count. */
import { frameCount } from '../audio/index.js';
import { encoderFrames, frameStride } from '../nn/index.js';
import { pooledLength } from '../quantizer/pooling.js';
import { UsageError } from '../tensor/index.js';
import type { CodecConfig } from './config.js';

/** Longest recording that one stream carries; it bounds what a header can make a decoder allocate. */
export const MOST_SECONDS = 24 * 3600;

export class Timing {
  readonly sampleRate: number;
  /** Feature frames from one vector to the next. */
  readonly featuresPerVector: number;
  /** Encoder frames that share a vector. */
  readonly framesPerVector: number;
  readonly vectorsPerSecond: number;
  readonly frameSeconds: number;

  constructor(private readonly config: CodecConfig) {
    const { frontEnd, network, quantizer } = config;
    this.sampleRate = frontEnd.sampleRate;
    const stride = frameStride(network);
    this.framesPerVector = quantizer.pooling;
    this.featuresPerVector = stride * quantizer.pooling;
    this.frameSeconds = (stride * frontEnd.hopSamples) / frontEnd.sampleRate;
    this.vectorsPerSecond = 1 / (this.frameSeconds * quantizer.pooling);
  }

  seconds(samples: number): number {
    return samples / this.sampleRate;
  }

  /** Encoder frames of a recording; none where there are no samples. */
  frames(samples: number): number {
    return samples === 0 ? 0 : encoderFrames(this.config.network, frameCount(this.config.frontEnd, samples));
  }

  vectors(samples: number): number {
    return pooledLength(this.frames(samples), this.framesPerVector);
  }

  /** For encoders: throws where a recording is too long for one stream. */
  requireLength(samples: number): void {
    if (this.seconds(samples) <= MOST_SECONDS) return;
    throw new UsageError(
      `a recording of ${Math.round(this.seconds(samples))} s is longer than the ${MOST_SECONDS} s that one stream ` +
        'carries: split it into several',
    );
  }
}
