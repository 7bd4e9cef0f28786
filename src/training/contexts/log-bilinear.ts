/**
 * Learns what entropy/context.ts codes with: the numbers of codewords as contexts and of nodes, by stochastic gradients of the
 * cross-entropy of the decisions (in nats), each row with a step of its own (Adagrad, Duchi et al. 2011).
 */
import { LOOK_BACK_STAGES } from '../../entropy/index.js';
import { createRandom } from '../../tensor/index.js';

/** Codewords of one recording, [vectors · stages], vector after vector. */
export type Codes = Int32Array;

export interface ModelShape {
  readonly stages: number;
  readonly codewords: number;
  readonly depth: number;
  readonly dimensions: number;
}

/** Rows of numbers, each with the sum of squares of its gradients. */
class Rows {
  readonly values: Float64Array;
  private readonly squares: Float64Array;

  constructor(
    rows: number,
    readonly width: number,
    random: () => number,
    spread: number,
  ) {
    this.values = Float64Array.from({ length: rows * width }, () => spread * (random() + random() - 1));
    this.squares = new Float64Array(rows).fill(1e-3);
  }

  addTo(sum: Float64Array, row: number): void {
    for (let d = 0, at = row * this.width; d < this.width; d++, at++) sum[d]! += this.values[at]!;
  }

  /** A step of `rate` down `gradient`, with decay. */
  descend(row: number, gradient: Float64Array, rate: number, decay: number): void {
    let square = 0;
    for (let d = 0; d < this.width; d++) square += gradient[d]! ** 2;
    this.squares[row]! += square / this.width;
    const step = rate / Math.sqrt(this.squares[row]!);
    for (let d = 0, at = row * this.width; d < this.width; d++, at++) {
      this.values[at] = this.values[at]! * (1 - rate * decay) - step * gradient[d]!;
    }
  }
}

const SPREAD = 0.3;

export class LogBilinear {
  readonly nodes: Rows;
  readonly previous: Rows;
  readonly second: Rows;
  readonly earlier: Rows;
  private readonly lookBack: number;
  private readonly context: Float64Array;
  private readonly contextGradient: Float64Array;
  private readonly nodeGradient: Float64Array;

  /** `biases` [stages · 2^depth] are the logits of the nodes without a context; they are learned on. */
  constructor(
    readonly shape: ModelShape,
    readonly leaves: Int16Array,
    readonly biases: Float64Array,
    seed: number,
  ) {
    const { stages, codewords, depth, dimensions } = shape;
    const random = createRandom(seed);
    this.lookBack = Math.min(stages, LOOK_BACK_STAGES);
    const rows = (count: number) => new Rows(count, dimensions, random, SPREAD);
    this.nodes = rows(stages << depth);
    this.previous = rows(stages * (codewords + 1));
    this.second = rows(this.lookBack * (codewords + 1));
    this.earlier = rows((stages - 1) * codewords);
    this.context = new Float64Array(dimensions);
    this.contextGradient = new Float64Array(dimensions);
    this.nodeGradient = new Float64Array(dimensions);
  }

  /** Nats of a recording's codewords; learns from each with steps of `rate`, where that is not 0. */
  pass(codes: Codes, rate: number, decay: number): number {
    const { stages, codewords } = this.shape;
    const { context } = this;
    let nats = 0;
    for (let at = 0; at < codes.length; at += stages) {
      context.fill(0);
      // Rows whose sum the context is so far.
      const used: [Rows, number][] = [];
      const use = (rows: Rows, row: number): void => {
        rows.addTo(context, row);
        used.push([rows, row]);
      };
      for (let s = 0; s < stages; s++) {
        const first = s * (codewords + 1);
        use(this.previous, first + (at >= stages ? codes[at + s - stages]! : codewords));
        if (s < this.lookBack)
          use(this.second, first + (at >= 2 * stages ? codes[at + s - 2 * stages]! : codewords));
        if (s > 0) use(this.earlier, (s - 1) * codewords + codes[at + s - 1]!);
        nats += this.descend(s, this.leaves[s * codewords + codes[at + s]!]!, rate, decay);
        if (rate > 0) {
          for (const [rows, row] of used) rows.descend(row, this.contextGradient, rate, decay);
        }
      }
    }
    return nats;
  }

  /** Nats of a leaf in the context at hand; leaves the context's gradient behind. */
  private descend(stage: number, leaf: number, rate: number, decay: number): number {
    const { depth, dimensions } = this.shape;
    const { context, contextGradient, nodeGradient, nodes, biases } = this;
    contextGradient.fill(0);
    let nats = 0;
    let node = 1;
    for (let b = depth - 1; b >= 0; b--) {
      const place = (stage << depth) + node;
      const row = place * dimensions;
      let logit = biases[place]!;
      for (let d = 0; d < dimensions; d++) logit += nodes.values[row + d]! * context[d]!;
      const bit = (leaf >> b) & 1;
      const signed = bit === 1 ? logit : -logit;
      nats += signed > 0 ? Math.log1p(Math.exp(-signed)) : Math.log1p(Math.exp(signed)) - signed;
      if (rate > 0) {
        const error = 1 / (1 + Math.exp(-logit)) - bit;
        for (let d = 0; d < dimensions; d++) {
          contextGradient[d]! += error * nodes.values[row + d]!;
          nodeGradient[d] = error * context[d]!;
        }
        nodes.descend(place, nodeGradient, rate, decay);
        biases[place]! -= BIAS_RATE * rate * error;
      }
      node = 2 * node + bit;
    }
    return nats;
  }
}

const BIAS_RATE = 0.1;
