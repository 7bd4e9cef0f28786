/** The same network without the split and without the quantiser: what the codec is compared with. */
import type { ConformerSuffix } from '../nn/index.js';
import { type DecodingOptions, decodeWords } from '../tasks/recognition.js';
import { concatenate, requireOptions, reshape, type Tensor, view } from '../tensor/index.js';
import type { Transcript } from './cloud-decoder.js';
import type { CodecConfig } from './config.js';
import { type DeviceNetwork, FrameStream } from './frame-stream.js';
import { Timing } from './timing.js';
import { WindowPlan } from './windows.js';

/** A transcript of samples that were never sent: nothing can be missing. */
export type UncutTranscript = Pick<Transcript, 'text' | 'words' | 'seconds'>;

/** Transcribes one recording from pieces. */
export interface UncutStream {
  push(samples: Float32Array): void;
  finish(): UncutTranscript;
}

/** Both halves of a codec model in one place, with continuous features between them. */
export class UncutRecognizer {
  private readonly timing: Timing;
  private readonly plan: WindowPlan;

  constructor(
    readonly config: CodecConfig,
    private readonly network: DeviceNetwork,
    private readonly suffix: ConformerSuffix,
  ) {
    this.timing = new Timing(config);
    this.plan = new WindowPlan(this.timing.vectorsPerSecond);
  }

  /** Words of a whole recording: mono samples at any rate, as DeviceEncoder.encode takes them. */
  transcribe(samples: Float32Array, sampleRate: number, options: DecodingOptions = {}): UncutTranscript {
    const stream = this.stream(sampleRate, options);
    stream.push(samples);
    return stream.finish();
  }

  stream(sampleRate: number, options: DecodingOptions = {}): UncutStream {
    requireOptions(options, 'transcribe');
    const { frames, logProbs } = this.logProbStream(sampleRate);
    return {
      push: (samples) => frames.push(samples),
      finish: () => {
        frames.finish();
        const words = decodeWords(logProbs(), this.config.labels, this.timing.frameSeconds, 0, options);
        const text = words.map(({ word }) => word).join(' ');
        return { text, words, seconds: this.timing.seconds(frames.samples) };
      },
    };
  }

  /** Log-probabilities [frames, classes] of a whole recording. */
  logProbabilities(samples: Float32Array, sampleRate: number): Tensor {
    const { frames, logProbs } = this.logProbStream(sampleRate);
    frames.push(samples);
    frames.finish();
    return logProbs();
  }

  private logProbStream(sampleRate: number): { frames: FrameStream; logProbs: () => Tensor } {
    const { framesPerVector } = this.timing;
    const classes = this.config.network.classes;
    const parts: Float32Array[] = [];
    const frames = new FrameStream(
      this.network,
      this.timing,
      this.plan,
      sampleRate,
      (x, { start, from, to }) => {
        const rows = this.suffix.forward(reshape(x, [1, ...x.shape])).data;
        const at = (vector: number) => Math.min(rows.length, (vector - start) * framesPerVector * classes);
        parts.push(rows.slice(at(from), at(to)));
      },
    );
    const logProbs = (): Tensor => {
      const data = concatenate(parts);
      return view(data, [data.length / classes, classes]);
    };
    return { frames, logProbs };
  }
}
