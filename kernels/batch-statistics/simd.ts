/**
 * Mean and variance of columns with WebAssembly SIMD: two walks down X, eight rows and four columns at a time, with
 * float64 totals (wasm/columns.ts). The second one takes squares around the mean as it was rounded to float32, m, and
 * with e = mean - m in float64, variance = Σ (x - m)² / rows - e².
 */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { defineColumnTotals, totalBytes } from '../wasm/columns.js';
import { f32, f32x4, f64, i32 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import type { SimdKernel } from '../wasm/runtime.js';
import type { BatchStatistics } from './reference.js';

export function defineBatchStatistics(module: ModuleBuilder): void {
  const sums = defineColumnTotals(module, 'batchSums', { matrices: 1, totals: 1, terms: ([x]) => [x] });
  const squares = defineColumnTotals(module, 'batchSquares', {
    matrices: 1,
    vectors: 1,
    totals: 1,
    terms: ([x], [mean]) => {
      const centred = f32x4.sub(x, mean);
      return [f32x4.mul(centred, centred)];
    },
  });
  module.function(
    'batchStatistics',
    {
      rows: 'i32',
      columns: 'i32',
      x: 'i32',
      xRowBytes: 'i32',
      sum: 'i32',
      square: 'i32',
      mean: 'i32',
      variance: 'i32',
    },
    (f, { rows, columns, x, xRowBytes, sum, square, mean, variance }) => {
      const count = f.local(f64.convertI32S(rows));
      const each = (work: (c: ReturnType<typeof f.local<'i32'>>) => void) => {
        const c = f.declare('i32');
        f.for(c, i32.const(0), columns, 1, () => work(c));
      };
      f.call(sums, rows, columns, x, xRowBytes, sum);
      each((c) => {
        const at = f.local(i32.add(sum, i32.shl(c, i32.const(3))));
        f.store(at, f64.div(f64.load(at), count));
        f.store(i32.add(mean, i32.shl(c, i32.const(2))), f32.demoteF64(f64.load(at)));
      });
      f.call(squares, rows, columns, x, xRowBytes, mean, square);
      each((c) => {
        const eighth = f.local(i32.shl(c, i32.const(3)));
        const quarter = f.local(i32.shl(c, i32.const(2)));
        const rounded = f64.promoteF32(f32.load(i32.add(mean, quarter)));
        const error = f.local(f64.sub(f64.load(i32.add(sum, eighth)), rounded));
        const around = f64.div(f64.load(i32.add(square, eighth)), count);
        f.store(i32.add(variance, quarter), f32.demoteF64(f64.sub(around, f64.mul(error, error))));
      });
    },
  );
}

export interface BatchStatisticsExports {
  batchStatistics(
    rows: number,
    columns: number,
    x: number,
    xRowBytes: number,
    sum: number,
    square: number,
    mean: number,
    variance: number,
  ): void;
}

export const batchStatisticsSimd: SimdKernel<BatchStatistics, BatchStatisticsExports> = {
  name: 'batch-statistics',
  summary:
    'eight rows and four columns at a time in float32, float64 totals; squares around the rounded mean',
  define: defineBatchStatistics,
  bind:
    (exports, memory) =>
    (rows, columns, x, xOffset, xRowStride, mean, meanOffset, variance, varianceOffset) => {
      const mark = memory.mark();
      try {
        const from = placeInput(memory, x, xOffset, rows, columns, xRowStride);
        const toMean = placeOutput(memory, mean, meanOffset, 1, columns, columns);
        const toVariance = placeOutput(memory, variance, varianceOffset, 1, columns, columns);
        exports.batchStatistics(
          rows,
          columns,
          from.pointer,
          from.rowBytes,
          memory.push(totalBytes(columns)),
          memory.push(totalBytes(columns)),
          toMean.pointer,
          toVariance.pointer,
        );
        returnOutput(memory, toMean, mean, meanOffset, 1, columns, columns);
        returnOutput(memory, toVariance, variance, varianceOffset, 1, columns, columns);
      } finally {
        memory.pop(mark);
      }
    },
};
