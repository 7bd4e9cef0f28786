/** How samples, feature frames, encoder frames and vectors of a recogniser count. */
import { frameCount } from '../audio/log-mel.js';
import { encoderFrames, frameStride } from '../nn/conformer-ctc.js';
import { pooledLength } from '../quantizer/pooling.js';
import { isCodec, type NetworkModelConfig, recognizerOf } from './config.js';
import type { Timing } from './timing.js';

export class FrameTiming implements Timing {
  readonly sampleRate: number;
  /** Feature frames from one vector to the next. */
  readonly featuresPerVector: number;
  /** Encoder frames that share a vector. */
  readonly framesPerVector: number;
  readonly vectorsPerSecond: number;
  readonly frameSeconds: number;

  private readonly recognizer: ReturnType<typeof recognizerOf>;

  constructor(config: NetworkModelConfig) {
    this.recognizer = recognizerOf(config);
    const { frontEnd, network } = this.recognizer;
    this.sampleRate = frontEnd.sampleRate;
    const stride = frameStride(network);
    this.framesPerVector = isCodec(config) ? config.quantizer.pooling : 1;
    this.featuresPerVector = stride * this.framesPerVector;
    this.frameSeconds = (stride * frontEnd.hopSamples) / frontEnd.sampleRate;
    this.vectorsPerSecond = 1 / (this.frameSeconds * this.framesPerVector);
  }

  seconds(samples: number): number {
    return samples / this.sampleRate;
  }

  /** Encoder frames of a recording; none where there are no samples. */
  frames(samples: number): number {
    const { frontEnd, network } = this.recognizer;
    return samples === 0 ? 0 : encoderFrames(network, frameCount(frontEnd, samples));
  }

  vectors(samples: number): number {
    return pooledLength(this.frames(samples), this.framesPerVector);
  }

  packetVectors(seconds: number): number {
    return Math.max(1, Math.round(seconds * this.vectorsPerSecond));
  }
}
