/** Verdicts on all cells of a matrix that run here. */
import { openGpu } from '../gpu/gpu.js';
import type { GpuMode } from '../gpu/gpu-js.js';
import type { MatrixCell, MatrixRow } from './matrix.js';
import { type GpuSelection, type Verdict, verifyGpu, verifyVariant } from './verify.js';

/** A cell, and what came of it: a verdict, or why it does not run after all. */
export interface Verified {
  readonly cell: MatrixCell;
  readonly verdict: Verdict | string;
}

/** The plain variants of all rows, then one GPU mode after another: there is one GPU for each process. */
export async function* verifyMatrix(
  rows: readonly MatrixRow[],
  selection: GpuSelection = {},
): AsyncGenerator<Verified> {
  for (const { spec: any, cells } of rows) {
    for (const cell of cells) {
      if (cell.mode !== undefined || cell.runs !== true) continue;
      const verdict = any.visit(async (spec) => {
        const variant = spec.variants.find(({ name }) => name === cell.variant);
        return variant ? verifyVariant(spec, variant) : null;
      });
      const found = await verdict;
      if (found) yield { cell, verdict: found };
    }
  }
  const modes = rows.flatMap(({ cells }) =>
    cells.flatMap(({ mode, runs }) => (mode !== undefined && runs === true ? [mode] : [])),
  );
  for (const mode of new Set(modes)) yield* verifyMode(rows, mode, selection);
}

async function* verifyMode(
  rows: readonly MatrixRow[],
  mode: GpuMode,
  selection: GpuSelection,
): AsyncGenerator<Verified> {
  const cells = rows.flatMap(({ spec, cells }) =>
    cells.flatMap((cell) => (cell.mode === mode && cell.runs === true ? [{ spec, cell }] : [])),
  );
  let gpu: Awaited<ReturnType<typeof openGpu>>;
  try {
    gpu = await openGpu(mode);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    for (const { cell } of cells) yield { cell, verdict: reason };
    return;
  }
  try {
    for (const { spec: any, cell } of cells) {
      const verdict = await any.visit(async (spec) =>
        spec.gpu ? verifyGpu(spec, spec.gpu, gpu, selection) : null,
      );
      if (verdict) yield { cell, verdict };
    }
  } finally {
    await gpu.dispose();
  }
}
