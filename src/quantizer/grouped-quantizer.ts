/**
 * Residual quantisers side by side: a vector is cut into groups of equal width, and each group has codebooks of its own.
 * Stage s of group g is stage s · groups + g of the whole, so that the first stages of all groups come first, and the
 * last stages can be left away from all of them alike.
 */
import { requireRank, requireShape } from '../ops/shapes.js';
import { type NdArray, ShapeError, type Tensor, view } from '../tensor/index.js';
import { CodewordTable } from './codeword-table.js';
import { ResidualQuantizer } from './residual-quantizer.js';
import type { VectorEncoder, VectorTable } from './vector-quantizer.js';

/** Indices [count, stages] of each group as one table [count, stages · groups], the first stages of all groups first. */
export function interleaveGroups(parts: readonly NdArray<Int32Array>[], stages: number): NdArray<Int32Array> {
  const [first] = parts;
  if (first && parts.length === 1) return first;
  const count = first?.shape[0] ?? 0;
  const columns = stages * parts.length;
  const out = new Int32Array(count * columns);
  parts.forEach(({ data }, g) => {
    for (let i = 0; i < data.length; i++) {
      const [n, s] = [Math.floor(i / stages), i % stages];
      out[n * columns + s * parts.length + g] = data[i]!;
    }
  });
  return view(out, [count, columns]);
}

export class GroupedQuantizer implements VectorEncoder, VectorTable {
  readonly groups: readonly ResidualQuantizer[];
  /** Stages of each group. */
  readonly stages: number;
  /** Numbers of a whole vector. */
  readonly width: number;
  private readonly groupWidth: number;
  private readonly table: CodewordTable;

  /** `codebooks` is [stages · groups, codewords, width / groups]. */
  constructor(
    readonly codebooks: Tensor,
    groups = 1,
  ) {
    requireRank(
      'GroupedQuantizer',
      'codebooks',
      codebooks,
      3,
      '[stages · groups, codewords, width / groups]',
    );
    const [rows, , groupWidth] = codebooks.shape as [number, number, number];
    if (!Number.isInteger(groups) || groups < 1 || rows % groups !== 0) {
      throw new ShapeError(`GroupedQuantizer: ${rows} codebooks do not divide into ${groups} groups`);
    }
    this.table = new CodewordTable(codebooks, groups);
    this.stages = rows / groups;
    this.groupWidth = groupWidth;
    this.width = groups * groupWidth;
    this.groups = Array.from(
      { length: groups },
      (_, g) => new ResidualQuantizer(codebooks.lo(g, 0, 0).step(groups, 1, 1)),
    );
  }

  /** Indices [count, stages · groups] of vectors [count, width] by the first `stages` codebooks of each group. */
  encode(x: Tensor, stages = this.stages): NdArray<Int32Array> {
    return interleaveGroups(this.encodeGroups(x, stages), stages);
  }

  /** The same for each group by itself, [count, stages]. */
  encodeGroups(x: Tensor, stages = this.stages): NdArray<Int32Array>[] {
    const count = x.shape[0] ?? 0;
    requireShape('GroupedQuantizer', 'x', x, [count, this.width]);
    return this.groups.map((quantizer, g) =>
      quantizer.encode(x.lo(0, g * this.groupWidth).hi(count, this.groupWidth), stages),
    );
  }

  /** Vectors [count, width] that indices [count, stages · groups] name. */
  lookUp(indices: NdArray<Int32Array>): Tensor {
    return this.table.lookUp(indices);
  }
}
