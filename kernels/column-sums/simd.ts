/**
 * Sums of columns with WebAssembly SIMD: eight rows are added in float32, four columns at a time, and then to float64
 * totals (wasm/columns.ts). X is read once, in eight streams; the totals of all columns stay in the first-level cache.
 */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { defineColumnTotals, defineStoreTotals, totalBytes } from '../wasm/columns.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { SimdKernel } from '../wasm/runtime.js';
import type { ColumnSums } from './reference.js';

export function defineColumnSums(module: ModuleBuilder): void {
  const totals = defineColumnTotals(module, 'columnSumTotals', {
    matrices: 1,
    totals: 1,
    terms: ([x]) => [x],
  });
  const store = defineStoreTotals(module);
  module.function(
    'columnSums',
    {
      rows: 'i32',
      columns: 'i32',
      accumulate: 'i32',
      x: 'i32',
      xRowBytes: 'i32',
      total: 'i32',
      sums: 'i32',
    },
    (f, { rows, columns, accumulate, x, xRowBytes, total, sums }) => {
      f.call(totals, rows, columns, x, xRowBytes, total);
      f.call(store, columns, accumulate, total, sums);
    },
  );
}

export interface ColumnSumsExports {
  columnSums(
    rows: number,
    columns: number,
    accumulate: number,
    x: number,
    xRowBytes: number,
    total: number,
    sums: number,
  ): void;
}

export const columnSumsSimd: SimdKernel<ColumnSums, ColumnSumsExports> = {
  name: 'column-sums',
  summary: 'eight rows and four columns at a time in float32, float64 totals',
  define: defineColumnSums,
  bind: (exports, memory) => (rows, columns, accumulate, x, xOffset, xRowStride, sums, sumsOffset) => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, x, xOffset, rows, columns, xRowStride);
      const place = accumulate ? placeInput : placeOutput;
      const to = place(memory, sums, sumsOffset, 1, columns, columns);
      const total = memory.push(totalBytes(columns));
      exports.columnSums(rows, columns, Number(accumulate), from.pointer, from.rowBytes, total, to.pointer);
      returnOutput(memory, to, sums, sumsOffset, 1, columns, columns);
    } finally {
      memory.pop(mark);
    }
  },
};
