/** What a quantiser in training made of a batch, and the losses that follow from it. */
import {
  constant,
  multiplyConstant,
  type SoftChoice,
  scale,
  scaledAdd,
  softCounts,
  squaredError,
  straightThrough,
  sum,
  sumPrefix,
  uniformDivergence,
  type Variable,
} from '../../autograd/index.js';
import { empty, flat, type NdArray, ShapeError, type Tensor, view } from '../../tensor/index.js';
import type { PackedSteps } from '../networks/network.js';
import { pickCodewords, searchCodewords } from './search.js';

export interface QuantizationInputs {
  /** Vectors [n, width] of some recordings, pooled already. */
  readonly steps: PackedSteps;
  /** [K · groups, V, width / groups]; constant where no gradient is to reach them. */
  readonly codebooks: Variable;
  readonly groups: number;
  /** Stages that each recording uses, from 1 to K. */
  readonly stages: readonly number[];
  /** -log2 P(v) of each codeword, [K · groups, V]. */
  readonly bits: Tensor;
  /** Softness of `rate` and `use`, as a part of the squared error that a stage leaves. */
  readonly temperature: number;
  /** Whether the gradient of what reads the quantised vectors moves codewords too. */
  readonly taskGradient: boolean;
}

/** Least temperature, as a part of the squares that a stage begins with: where it leaves nothing, choices are hard. */
const LEAST_TEMPERATURE = 1e-4;

/** Mean of |x|² over the rows of x [rows, width], for each group of columns. */
function groupEnergies(x: Tensor, groups: number): number[] {
  const [rows, width] = x.shape as [number, number];
  const numbers = flat(x);
  const groupWidth = width / groups;
  const sums = new Array<number>(groups).fill(0);
  for (let at = 0; at < numbers.length; ) {
    for (let g = 0; g < groups; g++) {
      let energy = 0;
      for (const end = at + groupWidth; at < end; at++) energy += numbers[at]! * numbers[at]!;
      sums[g]! += energy;
    }
  }
  return sums.map((energy) => energy / Math.max(1, rows));
}

/**
 * Every stage chooses for every vector, whether its recording uses that stage or not: what a stage codes does not depend on
 * it, and codebooks learn from all vectors. `quantized`, `commitment`, `rate` and `use` are of the stages that are used.
 * Losses are computed when they are first asked for.
 */
export class Quantization {
  /** [n, width]: sums of the codewords of the stages that each recording uses, with the straight-through gradient. */
  readonly quantized: Variable;
  /** Of all stages, [n, K · groups]. */
  readonly indices: NdArray<Int32Array>;
  /** Codewords of all stages, all vectors' first stages first: [K · n, width]. */
  readonly picked: Variable;
  /** What each stage begins with, [n, width]: the vectors, then what the stages before left. The last is what all left. */
  readonly residuals: readonly Variable[];
  /** Stages that each vector uses. */
  private readonly stagesOfRows: Int32Array;
  /** 1 / (vectors of the recording · width), for each vector: sums of these are means over a recording. */
  private readonly rowWeights: Float64Array;
  private counts: Variable | null = null;

  constructor(private readonly inputs: QuantizationInputs) {
    const { steps, codebooks, groups, stages, taskGradient } = inputs;
    const { x, lengths } = steps;
    const [rows, width] = x.shape as [number, number];
    const most = codebooks.shape[0]! / groups;
    if (stages.length !== lengths.length || stages.some((k) => !Number.isInteger(k) || k < 1 || k > most)) {
      throw new ShapeError(
        `quantizer: stages are [${stages.join(', ')}], expected 1 to ${most} for each of ${lengths.length} recordings`,
      );
    }
    if (lengths.reduce((total, length) => total + length, 0) !== rows) {
      throw new ShapeError(`quantizer: lengths [${lengths.join(', ')}] do not add up to ${rows} vectors`);
    }
    this.stagesOfRows = Int32Array.from(lengths.flatMap((n, r) => new Array<number>(n).fill(stages[r]!)));
    this.rowWeights = Float64Array.from(lengths.flatMap((n) => new Array<number>(n).fill(1 / (n * width))));
    this.indices = searchCodewords(x.value, codebooks.value, groups);
    this.picked = pickCodewords(this.indices, codebooks, groups);
    const residuals = [x];
    for (let s = 0; s < most; s++) residuals.push(scaledAdd(residuals[s]!, -1, constant(this.pickedBy(s))));
    this.residuals = residuals;
    const sums = sumPrefix(this.picked, this.stagesOfRows);
    this.quantized = straightThrough(x, taskGradient ? sums : constant(sums.value));
  }

  /** Codewords of stage `s`, [n, width]. */
  private pickedBy(s: number): Tensor {
    const { data, offset } = this.picked.value;
    const [rows, width] = this.inputs.steps.x.shape as [number, number];
    return view(data, [rows, width], undefined, offset + s * rows * width);
  }

  /**
   * Draws vectors to the codewords they are coded by: the mean over a recording's vectors, and over their elements, of
   * (x - sg(quantised))², summed over recordings.
   */
  commitment(): Variable {
    return squaredError(this.inputs.steps.x, constant(this.quantized.value), this.rowWeights);
  }

  /**
   * Draws codewords to the vectors that they code: the mean over a recording's vectors, and over their elements, of
   * (sg(what the stage begins with) - codeword)², summed over all K stages and over recordings. Without gradient where the
   * codebooks are constant.
   */
  codebook(): Variable {
    const stages = this.residuals.length - 1;
    const before = empty(this.picked.shape);
    this.residuals.slice(0, stages).forEach(({ value }, s) => {
      before.data.set(flat(value), before.offset + s * flat(value).length);
    });
    const weights = new Float64Array(stages * this.rowWeights.length);
    for (let s = 0; s < stages; s++) weights.set(this.rowWeights, s * this.rowWeights.length);
    return squaredError(this.picked, constant(before), weights);
  }

  /**
   * Spreads use over codewords: the divergence of the batch's mean soft assignment from uniform, in nats, averaged over
   * codebooks; times the recordings, as other losses are sums over those. It is what the batch of this pass has: its vectors
   * should be several times the codewords.
   */
  use(): Variable {
    const counts = this.softCounts();
    const recordings = this.inputs.steps.lengths.length;
    return scale(uniformDivergence(counts), recordings / counts.shape[0]!);
  }

  /**
   * Estimated bits of all recordings together: Σ over vectors and the stages they use of Σ over v of
   * p(v | vector) · -log2 P(v). Lets vectors, and trained codewords, move to where the entropy coder charges less.
   */
  rate(): Variable {
    return sum(multiplyConstant(this.softCounts(), this.inputs.bits));
  }

  /** Bits of each recording for the codewords that were chosen: what the coder would write, but for headers. */
  bits(): number[] {
    const { groups, bits, steps } = this.inputs;
    const [, codewords] = bits.shape as [number, number];
    const books = this.indices.shape[1]!;
    const costs = flat(bits);
    let n = 0;
    return steps.lengths.map((length) => {
      let cost = 0;
      for (const end = n + length; n < end; n++) {
        for (let b = 0; b < this.stagesOfRows[n]! * groups; b++) {
          cost += costs[b * codewords + this.indices.data[n * books + b]!]!;
        }
      }
      return cost;
    });
  }

  /** Soft counts [K · groups, V] of the vectors that use each stage. */
  private softCounts(): Variable {
    this.counts ??= softCounts(this.choices(), this.inputs.codebooks);
    return this.counts;
  }

  private choices(): SoftChoice[] {
    const { groups, temperature, steps } = this.inputs;
    const groupWidth = steps.x.shape[1]! / groups;
    const energies = this.residuals.map(({ value }) => groupEnergies(value, groups));
    return this.residuals.slice(0, -1).flatMap((x, s) => {
      const all = this.stagesOfRows.every((k) => k > s);
      const rows = all ? null : Array.from(this.stagesOfRows.keys()).filter((n) => this.stagesOfRows[n]! > s);
      return Array.from({ length: groups }, (_, g): SoftChoice => {
        const softness = Math.max(temperature * energies[s + 1]![g]!, LEAST_TEMPERATURE * energies[s]![g]!);
        // Where all vectors are 0 and coded so, any will do.
        return { x, rows, column: g * groupWidth, temperature: softness > 0 ? softness : 1 };
      });
    });
  }
}
