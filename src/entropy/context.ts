/**
 * Codewords by what came before: those of the same stage in the two vectors before, and those of the earlier stages of
 * the same vector. Each says something about the next codeword, as D numbers; their sum is the context. A codeword is decided bit by
 * bit down a tree, and each node has the logit
 *
 *   bias + node · context + drift
 *
 * whose logistic is the probability of a 1: a log-bilinear model over a tree (Mnih and Hinton 2008), which is also
 * logistic mixing of what each context says. All but the drift is learned in training. The drift of a node begins at 0 in every
 * run and follows what comes true in it.
 *
 * A stage looks at no later stage, of this vector or another. So a run of fewer stages is coded as if there were no others.
 */
import { FormatError } from '../tensor/index.js';
import type { BitCoder } from './bit-coder.js';
import { depthOf } from './codeword-tree.js';
import { type ContextTables, LOOK_BACK_STAGES, requireContextTables } from './context-tables.js';
import { Repeats } from './repeats.js';
import type { CodewordModel, Run } from './run-coder.js';
import { MOST_LOGIT, SQUASH } from './squash.js';

/** Context and node are in 32nds, logits in 256ths: products are shifted by 2. */
const PRODUCT_SHIFT = 2;
/** Drift is in 65,536ths of a nat. */
const DRIFT_SHIFT = 8;
/** A decision moves its drift by a 32nd of its error, in nats: the probability of what did not come true. */
const DRIFT_RATE = 5;

export class Context implements CodewordModel {
  readonly codewords: number;
  readonly stages: number;
  private readonly depth: number;
  /** [stages · 2^depth]: the codeword at each leaf, or -1. */
  private readonly atLeaf: Int16Array;

  /** Throws FormatError for tables that don't fit together. */
  constructor(private readonly tables: ContextTables) {
    requireContextTables(tables);
    const { codewords, stages, leaves } = tables;
    this.codewords = codewords;
    this.stages = stages;
    this.depth = depthOf(codewords);
    this.atLeaf = new Int16Array(stages << this.depth).fill(-1);
    for (let s = 0; s < stages; s++) {
      for (let v = 0; v < codewords; v++) this.atLeaf[(s << this.depth) + leaves[s * codewords + v]!] = v;
    }
  }

  encode(run: Run, encoder: BitCoder): void {
    this.code(run, encoder);
  }

  decode(run: Run, decoder: BitCoder): void {
    this.code(run, decoder);
  }

  private code(run: Run, coder: BitCoder): void {
    const { indices, stages } = run;
    const { depth, codewords, tables, atLeaf } = this;
    const { dimensions, previous, second, earlier, leaves } = tables;
    const lookBack = Math.min(stages, LOOK_BACK_STAGES);
    const drift = new Int32Array(stages << depth);
    const context = new Int32Array(dimensions);
    const repeats = new Repeats();
    for (let at = 0; at < indices.length; at += stages) {
      if (repeats.code(run, at / stages, coder)) continue;
      context.fill(0);
      for (let s = 0; s < stages; s++) {
        const before = at >= stages ? indices[at + s - stages]! : codewords;
        addRow(context, previous, s * (codewords + 1) + before);
        if (s < lookBack) {
          const beforeThat = at >= 2 * stages ? indices[at + s - 2 * stages]! : codewords;
          addRow(context, second, s * (codewords + 1) + beforeThat);
        }
        if (s > 0) addRow(context, earlier, (s - 1) * codewords + indices[at + s - 1]!);
        // A decoder has no codeword yet, and asks for no leaf.
        const leaf = leaves[s * codewords + indices[at + s]!]!;
        const found = this.codeOne(s, leaf, context, drift, coder);
        const codeword = atLeaf[(s << depth) + found]!;
        if (codeword < 0)
          throw new FormatError('entropy code', `leaf ${found} of stage ${s} has no codeword`);
        indices[at + s] = codeword;
      }
    }
  }

  /** Down the tree of a stage; gives the leaf. */
  private codeOne(
    stage: number,
    leaf: number,
    context: Int32Array,
    drift: Int32Array,
    coder: BitCoder,
  ): number {
    const { depth } = this;
    const { nodes, biases, dimensions } = this.tables;
    const first = stage << depth;
    // Sixteen numbers, which most models have, in variables: elements of an array would be looked up again at every node.
    const c0 = context[0]! | 0;
    const c1 = context[1]! | 0;
    const c2 = context[2]! | 0;
    const c3 = context[3]! | 0;
    const c4 = context[4]! | 0;
    const c5 = context[5]! | 0;
    const c6 = context[6]! | 0;
    const c7 = context[7]! | 0;
    const c8 = context[8]! | 0;
    const c9 = context[9]! | 0;
    const c10 = context[10]! | 0;
    const c11 = context[11]! | 0;
    const c12 = context[12]! | 0;
    const c13 = context[13]! | 0;
    const c14 = context[14]! | 0;
    const c15 = context[15]! | 0;
    let node = 1;
    for (let b = depth - 1; b >= 0; b--) {
      const place = first + node;
      const n = place * dimensions;
      const product =
        dimensions === 16
          ? (Math.imul(nodes[n]!, c0) +
              Math.imul(nodes[n + 1]!, c1) +
              Math.imul(nodes[n + 2]!, c2) +
              Math.imul(nodes[n + 3]!, c3) +
              Math.imul(nodes[n + 4]!, c4) +
              Math.imul(nodes[n + 5]!, c5) +
              Math.imul(nodes[n + 6]!, c6) +
              Math.imul(nodes[n + 7]!, c7) +
              Math.imul(nodes[n + 8]!, c8) +
              Math.imul(nodes[n + 9]!, c9) +
              Math.imul(nodes[n + 10]!, c10) +
              Math.imul(nodes[n + 11]!, c11) +
              Math.imul(nodes[n + 12]!, c12) +
              Math.imul(nodes[n + 13]!, c13) +
              Math.imul(nodes[n + 14]!, c14) +
              Math.imul(nodes[n + 15]!, c15)) |
            0
          : productOf(nodes, n, context);
      const logit = ((product >> PRODUCT_SHIFT) + biases[place]! + (drift[place]! >> DRIFT_SHIFT)) | 0;
      const bounded = logit < ~MOST_LOGIT ? ~MOST_LOGIT : logit > MOST_LOGIT ? MOST_LOGIT : logit;
      const ones = SQUASH[bounded + MOST_LOGIT + 1]!;
      const bit = coder.code((leaf >> b) & 1, ones);
      drift[place] = drift[place]! + (((bit << 16) - ones) >> DRIFT_RATE);
      node = 2 * node + bit;
    }
    return node - (1 << depth);
  }
}

function productOf(nodes: Int8Array, from: number, context: Int32Array): number {
  let product = 0;
  for (let d = 0; d < context.length; d++) product = (product + nodes[from + d]! * context[d]!) | 0;
  return product;
}

function addRow(context: Int32Array, table: Int8Array, row: number): void {
  const { length } = context;
  for (let d = 0, t = row * length; d < length; d++, t++) context[d]! += table[t]!;
}
