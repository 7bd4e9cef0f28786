/**
 * Counts that go on: how often each stage used each codeword in training, then in the run itself. A codeword is decided bit by
 * bit, most significant first; each node of that tree has a probability, which moves towards what came true by 1 / (n + 1.5)
 * after n decisions (Krichevsky and Trofimov's estimate), where training counts as some decisions.
 */
import { FormatError } from '../tensor/index.js';
import type { BitCoder } from './bit-coder.js';
import { depthOf, sumsOverTree } from './codeword-tree.js';
import type { FrequencyTable } from './frequency-table.js';
import { Repeats } from './repeats.js';
import type { CodewordModel, Run } from './run-coder.js';

/** Decisions that training counts as, and the most that are remembered. */
const CONFIDENCE = 24;
const MOST_DECISIONS = 255;
/** Never nearer to 0 or 1 than that, in parts of 2^16. */
const LEAST = 32;
/** Finer parts of a table's 2^15, of which codewords that training never saw share the escape's. */
const FINER = 64;

const RECIPROCALS = Int32Array.from({ length: MOST_DECISIONS + 1 }, (_, n) =>
  Math.floor(2 ** 17 / (2 * n + 3)),
);

const clamped = (ones: number): number => Math.min(2 ** 16 - LEAST, Math.max(LEAST, ones));

/** Probabilities of 1 in the nodes of a tree, parts of 2^16, by integers only. */
function nodesOf({ cumulative, codewords, unseen }: FrequencyTable, depth: number): Uint16Array {
  const rare = cumulative[codewords + 1]! - cumulative[codewords]!;
  const each = Math.max(1, Math.floor((FINER * rare) / Math.max(1, unseen.length)));
  const leaves = Array.from({ length: codewords }, (_, v) => {
    const frequency = cumulative[v + 1]! - cumulative[v]!;
    return frequency > 0 ? FINER * frequency : each;
  });
  const sums = sumsOverTree(leaves, depth);
  return Uint16Array.from({ length: 1 << depth }, (_, node) =>
    node === 0 ? 0 : clamped(Math.floor((2 ** 16 * sums[2 * node + 1]!) / sums[node]!)),
  );
}

export class Adaptive implements CodewordModel {
  readonly codewords: number;
  readonly stages: number;
  private readonly depth: number;
  /** Of all stages, [stages · 2^depth]. */
  private readonly learned: Uint16Array;

  /** Of stages with as many codewords each. */
  constructor(tables: readonly FrequencyTable[]) {
    this.codewords = tables[0]!.codewords;
    this.stages = tables.length;
    this.depth = depthOf(this.codewords);
    this.learned = new Uint16Array(this.stages << this.depth);
    tables.forEach((table, s) => {
      this.learned.set(nodesOf(table, this.depth), s << this.depth);
    });
  }

  encode(run: Run, encoder: BitCoder): void {
    this.code(run, encoder);
  }

  decode(run: Run, decoder: BitCoder): void {
    this.code(run, decoder);
  }

  private code(run: Run, coder: BitCoder): void {
    const { indices, stages } = run;
    const { depth, codewords } = this;
    const nodes = this.learned.slice(0, stages << depth);
    const decisions = new Uint8Array(nodes.length).fill(CONFIDENCE);
    const repeats = new Repeats();
    for (let at = 0; at < indices.length; at += stages) {
      if (repeats.code(run, at / stages, coder)) continue;
      for (let s = 0; s < stages; s++) {
        const codeword = indices[at + s]!;
        let node = 1;
        for (let b = depth - 1; b >= 0; b--) {
          const place = (s << depth) + node;
          const ones = nodes[place]!;
          const bit = coder.code((codeword >> b) & 1, ones);
          const n = decisions[place]!;
          nodes[place] = clamped(ones + ((((bit << 16) - ones) * RECIPROCALS[n]!) >> 16));
          if (n < MOST_DECISIONS) decisions[place] = n + 1;
          node = 2 * node + bit;
        }
        const found = node - (1 << depth);
        if (found >= codewords)
          throw new FormatError('entropy code', `codeword ${found} of ${codewords} does not exist`);
        indices[at + s] = found;
      }
    }
  }
}
