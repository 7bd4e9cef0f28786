/** What training learns for context.ts, as it stands in model files: small whole numbers, checked before they are believed. */
import { FormatError } from '../tensor/index.js';
import { depthOf } from './codeword-tree.js';

/** Numbers of a context at most; a multiple of 4, because sums are made four at a time. */
export const MOST_DIMENSIONS = 32;
/** Stages that look two vectors back. */
export const LOOK_BACK_STAGES = 2;

export interface ContextTables {
  readonly codewords: number;
  readonly stages: number;
  /** Numbers D of a context, a multiple of 4. */
  readonly dimensions: number;
  /** [stages, codewords]: the leaf of each codeword. Codewords that are alike are near each other. */
  readonly leaves: Int16Array;
  /** [stages, 2^depth]: logits of the nodes in 256ths of a nat; node 0 is none. */
  readonly biases: Int16Array;
  /** [stages, 2^depth, D]: what each node makes of a context, in 32nds. */
  readonly nodes: Int8Array;
  /** [stages, codewords + 1, D]: what a codeword says as the one before in its stage; the last row is that of the beginning. */
  readonly previous: Int8Array;
  /** [at most 2 stages, codewords + 1, D]: the same for the one before that. */
  readonly second: Int8Array;
  /** [stages - 1, codewords, D]: what a codeword says of the later stages of its own vector. */
  readonly earlier: Int8Array;
}

const lookBackStages = (stages: number): number => Math.min(stages, LOOK_BACK_STAGES);

/** Elements of each table. */
export const contextShapes = (stages: number, codewords: number, dimensions: number) => {
  const nodes = 1 << depthOf(codewords);
  return {
    leaves: [stages, codewords],
    biases: [stages, nodes],
    nodes: [stages, nodes, dimensions],
    previous: [stages, codewords + 1, dimensions],
    second: [lookBackStages(stages), codewords + 1, dimensions],
    earlier: [stages - 1, codewords, dimensions],
  };
};

/** Bytes of all tables. */
export function contextBytes(stages: number, codewords: number, dimensions: number): number {
  const { leaves, biases, ...bytes } = contextShapes(stages, codewords, dimensions);
  const size = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);
  return (
    2 * (size(leaves) + size(biases)) + Object.values(bytes).reduce((sum, shape) => sum + size(shape), 0)
  );
}

/** Throws FormatError where tables do not fit together. */
export function requireContextTables(tables: ContextTables): void {
  const { stages, codewords, dimensions } = tables;
  const fail = (message: string): never => {
    throw new FormatError('context tables', message);
  };
  if (dimensions < 4 || dimensions > MOST_DIMENSIONS || dimensions % 4 !== 0) {
    fail(`${dimensions} numbers of a context, expected a multiple of 4 up to ${MOST_DIMENSIONS}`);
  }
  for (const [name, shape] of Object.entries(contextShapes(stages, codewords, dimensions))) {
    const { length } = tables[name as keyof ReturnType<typeof contextShapes>];
    const expected = shape.reduce((product, n) => product * n, 1);
    if (length !== expected) fail(`${name} has ${length} numbers, expected [${shape.join(', ')}]`);
  }
  const most = 1 << depthOf(codewords);
  for (let s = 0; s < stages; s++) {
    const taken = new Uint8Array(most);
    for (let v = 0; v < codewords; v++) {
      const leaf = tables.leaves[s * codewords + v]!;
      if (leaf < 0 || leaf >= most || taken[leaf] === 1)
        fail(`codeword ${v} of stage ${s} has leaf ${leaf}, which is none or another's`);
      taken[leaf] = 1;
    }
  }
}
