/**
 * The cloud half: .acom bytes -> range decoder -> codewords -> layers M+1..L -> task head -> words.
 */
import type { Suffix } from '../nn/network.js';
import type { VectorTable } from '../quantizer/vector-quantizer.js';
import { type DecodingOptions, decodeWords, textOf, type Word } from '../tasks/recognition.js';
import {
  type Bytes,
  type NdArray,
  requireOptions,
  reshape,
  ShapeError,
  type Tensor,
  UsageError,
  zeros,
} from '../tensor/index.js';
import type { CodecConfig } from './config.js';
import { FrameTiming } from './frame-timing.js';
import { LiveDecoder } from './live-decoder.js';
import { type NetworkWork, runHere } from './network-work.js';
import type { StreamCoder, StreamIndices } from './stream-coder.js';
import { VectorLayout } from './vector-layout.js';
import { type Window, WindowPlan, windowsOfChunks } from './windows.js';

export interface DecodeOptions extends DecodingOptions {
  /** Codebooks of the stream to use, the first ones; all of them where this is left out. */
  readonly codebooks?: number;
}

/** A stretch of a recording, in seconds. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** What was said, and how much of it arrived. */
export interface Transcript {
  readonly text: string;
  readonly words: readonly Word[];
  readonly seconds: number;
  /** Codebooks that were used. */
  readonly codebooks: number;
  /** Stretches that were lost to damage; empty where all is well. Words in them are missing. */
  readonly missing: readonly Span[];
  /** One line for each thing that was wrong with the stream but did not stop decoding. */
  readonly warnings: readonly string[];
}

/** The cloud's part of a codec model. */
export class CloudDecoder {
  readonly config: CodecConfig;
  private readonly timing: FrameTiming;
  private readonly layout: VectorLayout;
  private readonly plan: WindowPlan;

  constructor(
    /** Indices to bytes and back, and bit rates. */
    readonly coder: StreamCoder,
    private readonly suffix: Suffix,
    private readonly table: VectorTable,
  ) {
    this.config = coder.config;
    this.timing = new FrameTiming(this.config);
    this.layout = new VectorLayout(this.config);
    this.plan = new WindowPlan(this.timing.vectorsPerSecond);
  }

  /**
   * Decodes a stream to words. Throws FormatError for what is no .acom stream, ModelMismatchError for a stream
   * of another model, CorruptStreamError where no packet survived; damage that spared some packets is
   * reported in `missing` and `warnings`.
   */
  decode(bytes: Bytes, options: DecodeOptions = {}): Transcript {
    return runHere(this.decoding(bytes, options), this.suffix);
  }

  /** The work of `decode`, for whoever runs the network. */
  *decoding(bytes: Bytes, options: DecodeOptions = {}): NetworkWork<Transcript> {
    requireOptions(options, 'decode');
    const stream = this.coder.read(bytes);
    const { header, indices, warnings } = stream;
    const codebooks = codebooksToUse(options, stream);
    const stages = codebooks * this.coder.groups;
    const { frameSeconds, framesPerVector } = this.timing;
    const seconds = this.timing.seconds(header.samples);
    const frames = this.timing.frames(header.samples);
    const words: Word[] = [];
    const missing: Span[] = [];
    for (const run of runsOf(indices)) {
      const start = run.from * framesPerVector;
      const end = Math.min(run.to * framesPerVector, frames);
      if (run.lost) {
        missing.push({ start: start * frameSeconds, end: Math.min(seconds, end * frameSeconds) });
        continue;
      }
      const used = indices.lo(run.from, 0).hi(run.to - run.from, stages);
      const logProbs = yield* this.scoring(used, end - start);
      words.push(...decodeWords(logProbs, this.config, frameSeconds, start * frameSeconds, options));
    }
    const text = textOf(words);
    return { text, words, seconds, codebooks, missing, warnings };
  }

  /** Decodes streams while they go on. Throws ModelError where the model does not run in chunks. */
  live(): LiveDecoder {
    return new LiveDecoder(this.coder, this.suffix, this.table);
  }

  /** Log-probabilities [frames, classes] from indices [vectors, codebooks · groups] that stand for `frames` frames. */
  logProbabilities(indices: NdArray<Int32Array>, frames: number): Tensor {
    return runHere(this.scoring(indices, frames), this.suffix);
  }

  private windows(vectors: number): Iterable<Window> {
    const { chunks } = this.suffix;
    if (chunks === undefined) return this.plan.all(vectors);
    const { framesPerVector, vectorsPerSecond } = this.timing;
    const [chunk, reach] = [chunks.steps / framesPerVector, chunks.reach / framesPerVector];
    return windowsOfChunks(vectors, chunk, reach, vectorsPerSecond);
  }

  private *scoring(indices: NdArray<Int32Array>, frames: number): NetworkWork<Tensor> {
    const [vectors, stages] = indices.shape as [number, number];
    const { framesPerVector } = this.timing;
    if (Math.ceil(frames / framesPerVector) !== vectors) {
      throw new ShapeError(`logProbabilities: ${vectors} vectors do not stand for ${frames} frames`);
    }
    const classes = this.config.network.classes;
    const out = zeros([frames, classes]);
    for (const { start, from, to, end } of this.windows(vectors)) {
      const last = Math.min(end * framesPerVector, frames);
      const looked = this.table.lookUp(indices.lo(start, 0).hi(end - start, stages));
      const steps = this.layout.toSteps(looked, last - start * framesPerVector);
      const logProbs = yield reshape(steps, [1, ...steps.shape]);
      const kept = (vector: number) => Math.min(vector * framesPerVector, frames) * classes;
      const skipped = start * framesPerVector * classes;
      out.data.set(logProbs.data.subarray(kept(from) - skipped, kept(to) - skipped), kept(from));
    }
    return out;
  }
}

/** The number of codebooks that an option asks for, all of the stream's where it is left out. */
export function codebooksToUse(
  { codebooks }: { readonly codebooks?: number },
  stream: StreamIndices,
): number {
  if (codebooks === undefined) return stream.codebooks;
  if (Number.isInteger(codebooks) && codebooks >= 1 && codebooks <= stream.codebooks) return codebooks;
  throw new UsageError(
    `codebooks is ${codebooks}; this stream has ${stream.codebooks}: use 1 to ${stream.codebooks}`,
  );
}

/** Consecutive vectors that all arrived or were all lost. */
function* runsOf(indices: NdArray<Int32Array>): Generator<{ from: number; to: number; lost: boolean }> {
  const [vectors, stages] = indices.shape as [number, number];
  const lost = (n: number) => indices.data[n * stages] === -1;
  for (let from = 0; from < vectors; ) {
    let to = from + 1;
    while (to < vectors && lost(to) === lost(from)) to++;
    yield { from, to, lost: lost(from) };
    from = to;
  }
}
