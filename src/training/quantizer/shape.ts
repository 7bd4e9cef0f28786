import { UsageError } from '../../tensor/index.js';

/** Codebooks of a residual quantiser in training. */
export interface QuantizerShape {
  /** Stages K of each group. */
  readonly codebooks: number;
  /** Codewords V of each codebook. */
  readonly codewords: number;
  /** Numbers of a whole vector. */
  readonly width: number;
  /** Parts of equal width that a vector is cut into, each with codebooks of its own; default 1. */
  readonly groups?: number;
}

/** [K · groups, V, width / groups]: stage s of group g is codebook s · groups + g, as in model files. */
export type CodebookShape = readonly [books: number, codewords: number, groupWidth: number];

/** Throws UsageError where there are no such codebooks. */
export function codebookShape({ codebooks, codewords, width, groups = 1 }: QuantizerShape): CodebookShape {
  for (const [name, value] of Object.entries({ codebooks, codewords, width, groups })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new UsageError(`quantizer: ${name} is ${value}, expected a positive whole number`);
  }
  if (width % groups !== 0) {
    throw new UsageError(`quantizer: ${groups} groups do not divide vectors of ${width} numbers`);
  }
  return [codebooks * groups, codewords, width / groups];
}
