/** Runs and tables for tests, and a coder that only counts. */
import type { BitCoder } from '../../src/entropy/bit-coder.js';
import {
  type ContextTables,
  contextShapes,
  FrequencyTable,
  frequenciesFromCounts,
  type Run,
} from '../../src/entropy/index.js';

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export const runOf = (indices: ArrayLike<number>, stages: number): Run => ({
  indices: Int32Array.from(indices),
  stages,
});

export const tableOf = (counts: ArrayLike<number>): FrequencyTable =>
  new FrequencyTable(frequenciesFromCounts(counts));

/** Adds up what decisions cost an ideal coder. */
export class BitCount implements BitCoder {
  bits = 0;
  decisions = 0;

  code(bit: number, ones: number): number {
    if (!Number.isInteger(ones) || ones < 1 || ones > 65535) throw new Error(`probability ${ones}`);
    this.bits -= Math.log2((bit === 1 ? ones : 65536 - ones) / 65536);
    this.decisions++;
    return bit;
  }
}

/** Numbers of context tables: 0, small ones, any, or none but the least and the largest. */
export const KINDS = ['none', 'small', 'any', 'extreme'] as const;

export function randomContext(
  { stages, codewords, dimensions }: Pick<ContextTables, 'stages' | 'codewords' | 'dimensions'>,
  kind: (typeof KINDS)[number],
  random: () => number,
): ContextTables {
  const shapes = contextShapes(stages, codewords, dimensions);
  const filled = <T extends Int8Array | Int16Array>(table: T, largest: number): T => {
    for (let i = 0; i < table.length; i++) {
      if (kind === 'small') table[i] = Math.floor((largest / 5) * (random() - 0.5));
      else if (kind === 'any') table[i] = Math.floor(2 * (largest + 1) * random()) - largest - 1;
      else if (kind === 'extreme') table[i] = random() < 0.5 ? largest : -largest - 1;
    }
    return table;
  };
  const size = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const bytes = (shape: readonly number[]) => filled(new Int8Array(size(shape)), 127);
  const leaves = Array.from({ length: stages }, () => {
    const order = Array.from({ length: shapes.biases[1]! }, (_, leaf) => ({ leaf, at: random() }));
    return order
      .sort((a, b) => a.at - b.at)
      .slice(0, codewords)
      .map(({ leaf }) => leaf);
  });
  return {
    stages,
    codewords,
    dimensions,
    leaves: Int16Array.from(leaves.flat()),
    biases: filled(new Int16Array(size(shapes.biases)), kind === 'small' ? 5000 : 32767),
    nodes: bytes(shapes.nodes),
    previous: bytes(shapes.previous),
    second: bytes(shapes.second),
    earlier: bytes(shapes.earlier),
  };
}
