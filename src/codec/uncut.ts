/** The same network without the split and without the quantiser: what the codec is compared with. */
import type { Suffix } from '../nn/network.js';
import { type DecodingOptions, decodeWords, textOf } from '../tasks/recognition.js';
import { concatenate, requireOptions, reshape, type Tensor, view } from '../tensor/index.js';
import type { Transcript } from './cloud-decoder.js';
import type { NetworkModelConfig } from './config.js';
import { FrameTiming } from './frame-timing.js';
import type { DeviceNetwork, StepStream } from './step-stream.js';

/** A transcript of samples that were never sent: nothing can be missing. */
export type UncutTranscript = Pick<Transcript, 'text' | 'words' | 'seconds'>;

/** Transcribes one recording from pieces. */
export interface UncutStream {
  push(samples: Float32Array): void;
  finish(): UncutTranscript;
}

/** Both halves of a recogniser in one place, with continuous features between them. */
export class UncutRecognizer {
  private readonly timing: FrameTiming;

  constructor(
    readonly config: NetworkModelConfig,
    private readonly network: DeviceNetwork,
    private readonly suffix: Suffix,
  ) {
    this.timing = new FrameTiming(config);
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
        const words = decodeWords(logProbs(), this.config, this.timing.frameSeconds, 0, options);
        return { text: textOf(words), words, seconds: this.timing.seconds(frames.samples) };
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

  private logProbStream(sampleRate: number): { frames: StepStream; logProbs: () => Tensor } {
    const { framesPerVector } = this.timing;
    const classes = this.config.network.classes;
    const parts: Float32Array[] = [];
    const forward = continued(this.suffix);
    const frames = this.network(sampleRate, (x, { start, from, to }) => {
      const rows = forward(reshape(x, [1, ...x.shape])).data;
      const at = (vector: number) => Math.min(rows.length, (vector - start) * framesPerVector * classes);
      parts.push(rows.slice(at(from), at(to)));
    });
    const logProbs = (): Tensor => {
      const data = concatenate(parts);
      return view(data, [data.length / classes, classes]);
    };
    return { frames, logProbs };
  }
}

/** A suffix for the windows of one recording: one that runs in chunks gets them as chunks. */
function continued(suffix: Suffix): (x: Tensor) => Tensor {
  const { chunks } = suffix;
  if (chunks === undefined) return (x) => suffix.forward(x);
  const memory = chunks.memory();
  return (x) => chunks.forward(x, [memory]);
}
