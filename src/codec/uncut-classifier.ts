/** The same classifier without the split and without the quantiser: what the codec is compared with. */
import type { Suffix } from '../nn/network.js';
import { flat, reshape } from '../tensor/index.js';
import { ClipTiming } from './clip-timing.js';
import { type ClipScores, type Verdict, verdictOf } from './cloud-classifier.js';
import type { NetworkModelConfig } from './config.js';
import type { DeviceNetwork } from './step-stream.js';

/** Classifies one recording from pieces. */
export interface UncutClassifierStream {
  push(samples: Float32Array): void;
  finish(): Verdict;
}

/** Both halves of a model in one place, with continuous features between them. */
export class UncutClassifier {
  private readonly timing: ClipTiming;

  constructor(
    readonly config: NetworkModelConfig,
    private readonly network: DeviceNetwork,
    private readonly suffix: Suffix,
  ) {
    this.timing = new ClipTiming(config);
  }

  /** What a whole recording is: mono samples at any rate, as DeviceEncoder.encode takes them. */
  classify(samples: Float32Array, sampleRate: number): Verdict {
    const stream = this.stream(sampleRate);
    stream.push(samples);
    return stream.finish();
  }

  stream(sampleRate: number): UncutClassifierStream {
    const logProbs: Float32Array[] = [];
    const steps = this.network(sampleRate, (x) => {
      logProbs.push(flat(this.suffix.forward(reshape(x, [1, ...x.shape]))).slice());
    });
    return {
      push: (samples) => steps.push(samples),
      finish: () => {
        steps.finish();
        const clips = logProbs.map((each, number): ClipScores => {
          const { startSample, endSample } = this.timing.clip(steps.samples, number);
          return {
            start: this.timing.seconds(startSample),
            end: this.timing.seconds(endSample),
            logProbs: each,
          };
        });
        return verdictOf(clips, this.config, this.timing.seconds(steps.samples));
      },
    };
  }
}
