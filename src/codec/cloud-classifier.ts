/**
 * The cloud half of a classifier: .acom bytes -> range decoder -> codewords -> layers M+1..L -> task head -> a label.
 */
import type { Suffix } from '../nn/network.js';
import type { VectorTable } from '../quantizer/vector-quantizer.js';
import { type ClassProbability, meanProbabilities, rankClasses } from '../tasks/classification.js';
import { type Bytes, flat, type NdArray, requireOptions, reshape } from '../tensor/index.js';
import { ClipTiming } from './clip-timing.js';
import { codebooksToUse, type Span } from './cloud-decoder.js';
import type { CodecConfig, NetworkModelConfig } from './config.js';
import { type NetworkWork, runHere } from './network-work.js';
import type { StreamCoder } from './stream-coder.js';

export interface ClassifyOptions {
  /** Codebooks of the stream to use, the first ones; all of them where this is left out. */
  readonly codebooks?: number;
}

/** What one clip was taken for. */
export interface ClipClass extends Span {
  readonly label: string;
  /** Probability that the network gives the label. */
  readonly confidence: number;
}

/** What a recording was taken for. */
export interface Verdict {
  /** The likeliest label over all clips; null where there was no clip to judge. */
  readonly label: string | null;
  readonly confidence: number;
  /** Every class, the likeliest first: the mean of its probabilities over the clips. */
  readonly classes: readonly ClassProbability[];
  readonly clips: readonly ClipClass[];
  readonly seconds: number;
}

/** A verdict about a stream, and how much of it arrived. */
export interface Classification extends Verdict {
  /** Codebooks that were used. */
  readonly codebooks: number;
  /** Clips that were lost to damage; empty where all is well. */
  readonly missing: readonly Span[];
  /** One line for each thing that was wrong with the stream but did not stop decoding. */
  readonly warnings: readonly string[];
}

/** Log-probabilities of the classes of one clip, and where it stands in the recording. */
export interface ClipScores extends Span {
  readonly logProbs: Float32Array;
}

/** The verdict that clips come to. */
export function verdictOf(
  clips: readonly ClipScores[],
  config: NetworkModelConfig,
  seconds: number,
): Verdict {
  const classes =
    clips.length === 0
      ? []
      : rankClasses(meanProbabilities(clips.map(({ logProbs }) => logProbs)), config.labels);
  return {
    label: classes[0]?.label ?? null,
    confidence: classes[0]?.probability ?? 0,
    classes,
    clips: clips.map(({ start, end, logProbs }) => {
      const [best] = rankClasses(meanProbabilities([logProbs]), config.labels);
      return { start, end, label: best!.label, confidence: best!.probability };
    }),
    seconds,
  };
}

/** The cloud's part of a codec model that classifies. */
export class CloudClassifier {
  readonly config: CodecConfig;
  private readonly timing: ClipTiming;

  constructor(
    /** Indices to bytes and back, and bit rates. */
    readonly coder: StreamCoder,
    private readonly suffix: Suffix,
    private readonly table: VectorTable,
  ) {
    this.config = coder.config;
    this.timing = new ClipTiming(this.config);
  }

  /**
   * Decodes a stream to a label. Throws FormatError for what is no .acom stream, ModelMismatchError for a stream of
   * another model, CorruptStreamError where no packet survived; damage that spared some clips is reported in `missing`
   * and `warnings`.
   */
  classify(bytes: Bytes, options: ClassifyOptions = {}): Classification {
    return runHere(this.classifying(bytes, options), this.suffix);
  }

  /** The work of `classify`, for whoever runs the network. */
  *classifying(bytes: Bytes, options: ClassifyOptions = {}): NetworkWork<Classification> {
    requireOptions(options, 'classify');
    const stream = this.coder.read(bytes);
    const codebooks = codebooksToUse(options, stream);
    const { samples } = stream.header;
    const clips: ClipScores[] = [];
    const missing: Span[] = [];
    for (let number = 0; number < this.timing.clips(samples); number++) {
      const { from, to, startSample, endSample } = this.timing.clip(samples, number);
      const span = { start: this.timing.seconds(startSample), end: this.timing.seconds(endSample) };
      const indices = stream.indices.lo(from, 0).hi(to - from, codebooks * this.coder.groups);
      if (isLost(indices)) missing.push(span);
      else clips.push({ ...span, logProbs: yield* this.scoring(indices, endSample - startSample) });
    }
    const verdict = verdictOf(clips, this.config, this.timing.seconds(samples));
    return { ...verdict, codebooks, missing, warnings: stream.warnings };
  }

  /** Log-probabilities [classes] of a clip of `samples` samples from its indices [vectors, codebooks · groups]. */
  logProbabilities(indices: NdArray<Int32Array>, samples: number): Float32Array {
    return runHere(this.scoring(indices, samples), this.suffix);
  }

  private *scoring(indices: NdArray<Int32Array>, samples: number): NetworkWork<Float32Array> {
    const vectors = this.table.lookUp(indices);
    const steps = this.timing.layout.toSteps(vectors, this.timing.steps(samples));
    return flat(yield reshape(steps, [1, ...steps.shape])).slice();
  }
}

/** Whether a vector of a clip was lost: the network needs them all. */
function isLost(indices: NdArray<Int32Array>): boolean {
  for (let n = 0; n < indices.shape[0]!; n++) {
    if (indices.data[indices.offset + n * indices.stride[0]!] === -1) return true;
  }
  return false;
}
