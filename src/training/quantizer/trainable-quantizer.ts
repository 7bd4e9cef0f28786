/** A residual quantiser that is trained together with the network around it. */
import { constant } from '../../autograd/index.js';
import { CODEBOOKS } from '../../codec/index.js';
import { entropyOfCounts, fitGroups } from '../../quantizer/index.js';
import { flat, ModelError, type Tensor, UsageError } from '../../tensor/index.js';
import type { PackedSteps, ParameterSpec, Pass } from '../networks/network.js';
import type { TrainingState } from '../run/workload.js';
import { type AverageOptions, type CodebookAverages, followAverages, followCounts } from './averages.js';
import { codewordBits } from './bits.js';
import { Quantization } from './quantization.js';
import { offerCandidates, reviveCodewords } from './revival.js';
import { searchCodewords } from './search.js';
import { codebookShape, type QuantizerShape } from './shape.js';

export interface TrainableQuantizerOptions extends QuantizerShape, AverageOptions {
  /**
   * What codebooks follow: `averages` of the vectors that chose each codeword (averages.ts), then they are a buffer; or the
   * `gradient` of `codebook()` and of the other losses, then they are a parameter. Where the rate is to count, take gradients:
   * averages spread codewords over what the vectors do, however close together those move, and so undo half of it.
   */
  readonly learning: 'averages' | 'gradient';
  /** With `gradient`: whether the task's own gradient reaches the codewords that were chosen too. Default: it does not. */
  readonly taskGradient?: boolean;
  /** Softness of `rate` and `use`, as a part of the squared error that a stage leaves. Default 0.1. */
  readonly temperature?: number;
  /**
   * Codewords are revived that are used less than this part of an even share; default 0.05, 0 revives none. With a large
   * weight on the rate, unused codewords are what was asked for.
   */
  readonly reviveBelow?: number;
  /** Vectors that a batch offers to codewords that are revived, about half of this number; default 32. */
  readonly candidates?: number;
}

const COUNTS = 'quantizer.counts';
const SUMS = 'quantizer.sums';
const CANDIDATES = 'quantizer.candidates';
const CANDIDATE_COUNTS = 'quantizer.candidateCounts';

/** How one codebook is used, by its running average. */
export interface CodebookUse {
  /** -Σ p log2 p, in bits: what the entropy coder pays for a codeword. */
  readonly entropyBits: number;
  /** 2^entropy: the number of equally used codewords that would carry as much; from 1 to V. */
  readonly perplexity: number;
  /** Part of the codewords that are used at least a twentieth as much as an even share. */
  readonly used: number;
}

/** Part of an even share below which a codeword counts as unused. */
const UNUSED = 0.05;

/**
 * Its numbers go by the names of model files: `quantizer.codebooks` [K · groups, V, width / groups] is what a codec ships.
 * Pooling before it, repeating after it and projections around it are not its business.
 *
 * The choice of codewords is always the nearest, as the encoder's is. A choice that weighs bits against the error (Chou,
 * Lookabaugh and Gray 1989) would need an encoder that does the same.
 */
export class TrainableQuantizer {
  readonly parameters: ReadonlyMap<string, ParameterSpec>;
  readonly buffers: ReadonlyMap<string, { readonly shape: readonly number[]; readonly initial: number }>;
  private readonly groups: number;
  private readonly slots: number;

  constructor(private readonly options: TrainableQuantizerOptions) {
    const {
      learning,
      groups = 1,
      width,
      decay = 0.99,
      temperature = 0.1,
      taskGradient,
      candidates,
    } = options;
    const shape = codebookShape(options);
    if (!(decay >= 0 && decay < 1))
      throw new UsageError(`quantizer: decay is ${decay}, expected 0 to below 1`);
    if (!(temperature > 0 && temperature < Infinity)) {
      throw new UsageError(`quantizer: temperature is ${temperature}, expected a number above 0`);
    }
    if (taskGradient && learning === 'averages') {
      throw new UsageError(
        `quantizer: no gradient reaches codebooks that follow averages: use learning "gradient"`,
      );
    }
    this.groups = groups;
    this.slots = candidates ?? 32;
    const counts: [string, { shape: readonly number[]; initial: number }] = [
      COUNTS,
      { shape: shape.slice(0, 2), initial: 0 },
    ];
    const books = { shape, initial: 0 };
    const initialise = (values: Float32Array, random: () => number) => {
      for (let i = 0; i < values.length; i++) values[i] = (2 * random() - 1) / Math.sqrt(width);
    };
    this.parameters = new Map(
      learning === 'gradient' ? [[CODEBOOKS, { shape, initialise, decay: false }]] : [],
    );
    this.buffers = new Map(learning === 'gradient' ? [counts] : [[CODEBOOKS, books], counts, [SUMS, books]]);
  }

  /**
   * Quantises vectors [n, width], pooled already; `stages` is the number of codebooks of each recording, see `drawStages`,
   * by default all. In training it reports what `absorb` is to learn.
   */
  forward(pass: Pass, steps: PackedSteps, stages?: readonly number[]): Quantization {
    const { codebooks: most, learning, temperature = 0.1, taskGradient = false } = this.options;
    const quantization = new Quantization({
      steps,
      codebooks: learning === 'gradient' ? pass.parameter(CODEBOOKS) : constant(pass.buffer(CODEBOOKS)),
      groups: this.groups,
      stages: stages ?? steps.lengths.map(() => most),
      bits: codewordBits(pass.buffer(COUNTS)),
      temperature,
      taskGradient,
    });
    if (pass.training) this.report(pass, quantization);
    return quantization;
  }

  private report(pass: Pass, { indices, residuals }: Quantization): void {
    const [books, codewords, groupWidth] = codebookShape(this.options);
    const { width, learning } = this.options;
    const rows = indices.shape[0]!;
    const counts = new Float64Array(books * codewords);
    const sums = new Float64Array(learning === 'averages' ? counts.length * groupWidth : 0);
    for (let b = 0; b < books; b++) {
      const [stage, column] = [Math.floor(b / this.groups), (b % this.groups) * groupWidth];
      const vectors = flat(residuals[stage]!.value);
      for (let n = 0; n < rows; n++) {
        const word = b * codewords + indices.data[n * books + b]!;
        counts[word]!++;
        if (learning === 'gradient') continue;
        const [to, from] = [word * groupWidth, n * width + column];
        for (let d = 0; d < groupWidth; d++) sums[to + d]! += vectors[from + d]!;
      }
    }
    pass.report(COUNTS, counts);
    if (learning === 'averages') pass.report(SUMS, sums);
    if ((this.options.reviveBelow ?? UNUSED) === 0) return;
    const begun = residuals.slice(0, -1).map(({ value }) => value);
    const offered = offerCandidates(begun, this.slots, pass.random);
    pass.report(CANDIDATES, offered.vectors);
    pass.report(CANDIDATE_COUNTS, offered.counts);
  }

  /**
   * After each step: moves averages, codebooks that follow them, and codewords that nobody uses, by what all shards
   * reported. Writes into `state`; gives how many codewords were revived.
   */
  absorb(
    state: TrainingState,
    reported: ReadonlyMap<string, Float64Array>,
    { random }: { readonly random: () => number },
  ): number {
    const counted = reported.get(COUNTS);
    if (counted === undefined) return 0;
    const before = this.numbersOf(state);
    let next: CodebookAverages | { codebooks: Tensor; counts: Tensor; sums: null };
    if (before.sums === null) {
      next = { ...before, counts: followCounts(before.counts, counted, this.options), sums: null };
    } else {
      const batch = { counts: counted, sums: reported.get(SUMS) ?? [] };
      next = followAverages({ ...before, sums: before.sums }, batch, this.options);
    }
    const vectors = reported.get(CANDIDATES);
    const counts = reported.get(CANDIDATE_COUNTS);
    let revived = 0;
    if (vectors !== undefined && counts !== undefined) {
      const how = { threshold: this.options.reviveBelow ?? UNUSED, groups: this.groups };
      const revival = reviveCodewords(next, { vectors, counts }, how, random);
      revived = revival.revived;
      next = revival as typeof next;
    }
    this.write(state, next);
    return revived;
  }

  /**
   * Codebooks by k-means++ on vectors [count, width], which the network as it is sends: to be called once, before training
   * or when the network has learned something. The same vectors and seed give the same codebooks.
   */
  start(state: TrainingState, vectors: Tensor, seed = 1, rounds = 25): void {
    const { codebooks: stages, codewords } = this.options;
    const [books, , groupWidth] = codebookShape(this.options);
    const codebooks = fitGroups(vectors, this.groups, { stages, codewords, seed, rounds });
    const indices = searchCodewords(vectors, codebooks, this.groups);
    const { counts, sums } = this.numbersOf(state);
    const shares = flat(counts).fill(0);
    for (let i = 0; i < indices.data.length; i++) {
      shares[(i % books) * codewords + indices.data[i]!]! += 1 / vectors.shape[0]!;
    }
    flat(this.codebooksOf(state)).set(flat(codebooks));
    if (sums === null) return;
    const to = flat(sums);
    for (let i = 0; i < to.length; i++) to[i] = codebooks.data[i]! * shares[Math.floor(i / groupWidth)]!;
  }

  /** How each codebook is used, [K · groups]: by the running averages of `state`. */
  use(state: TrainingState): CodebookUse[] {
    const { counts } = this.numbersOf(state);
    const [books, codewords] = counts.shape as [number, number];
    return Array.from({ length: books }, (_, b) => {
      const row = flat(counts).subarray(b * codewords, (b + 1) * codewords);
      const total = row.reduce((sum, n) => sum + n, 0);
      if (total === 0) return { entropyBits: 0, perplexity: 1, used: 0 };
      const entropyBits = entropyOfCounts(row);
      const used = row.filter((n) => n >= (UNUSED * total) / codewords).length / codewords;
      return { entropyBits, perplexity: 2 ** entropyBits, used };
    });
  }

  /** The codebooks, of parameters or buffers. */
  codebooksOf(state: TrainingState): Tensor {
    return tensorOf(this.options.learning === 'gradient' ? state.parameters : state.buffers, CODEBOOKS);
  }

  private numbersOf(state: TrainingState): { codebooks: Tensor; counts: Tensor; sums: Tensor | null } {
    return {
      codebooks: this.codebooksOf(state),
      counts: tensorOf(state.buffers, COUNTS),
      sums: this.options.learning === 'gradient' ? null : tensorOf(state.buffers, SUMS),
    };
  }

  private write(
    state: TrainingState,
    next: { codebooks: Tensor; counts: Tensor; sums: Tensor | null },
  ): void {
    const to = this.numbersOf(state);
    flat(to.codebooks).set(flat(next.codebooks));
    flat(to.counts).set(flat(next.counts));
    if (to.sums !== null && next.sums !== null) flat(to.sums).set(flat(next.sums));
  }
}

function tensorOf(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const found = tensors.get(name);
  if (found !== undefined) return found;
  throw new ModelError(`quantizer: the training state has no ${name}: make it from the quantizer's own list`);
}
