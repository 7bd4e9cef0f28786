/**
 * Gradients of layer normalisation with WebAssembly SIMD. Of each row, which stays in the first-level cache, four walks:
 * two for its mean and deviation (layer-norm/simd.ts), which are put aside, one for Σ g and Σ g x̂, one for dx. Then the
 * sums of columns, eight rows at a time (wasm/columns.ts), with x̂ made again from what was put aside.
 */
import { rowMoments } from '../layer-norm/simd.js';
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { defineColumnTotals, defineStoreTotals, totalBytes } from '../wasm/columns.js';
import { f32, f32x4, i32, type V128, v128 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { chainsOf, firstLanes, foldChains, foldLanes, mapRow, walkRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { LayerNormBackward } from './reference.js';

/** Sums per walk, so that additions do not wait for one another. */
const CHAINS = 2;
/** Numbers that are put aside for a row: mean, scale, shift. */
const MOMENTS = 3;

/** Adds `layerNormBackwardRow`: dx of a row, and its moments. */
function defineRow(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  const { madd, nmadd } = arithmetic;
  return module.function(
    'layerNormBackwardRow',
    { columns: 'i32', epsilon: 'f32', x: 'i32', weight: 'i32', dy: 'i32', dx: 'i32', moments: 'i32' },
    (f, { columns, epsilon, x, weight, dy, dx, moments }) => {
      const { mean, scale, shift } = rowMoments(f, arithmetic, columns, epsilon, x);
      [mean, scale, shift].forEach((moment, i) => {
        f.store(moments, f32x4.extractLane(moment, 0), 4 * i);
      });
      const normalised = (value: V128) => madd(f32x4.sub(value, mean), scale, shift);

      const sums = chainsOf(f, CHAINS, f32x4.constSplat(0));
      const products = chainsOf(f, CHAINS, f32x4.constSplat(0));
      const [from, factors, given] = [f.local(x), f.local(weight), f.local(dy)];
      const g = f.declare('v128');
      const collect = (chain: number, normal: V128) => {
        f.set(sums[chain], f32x4.add(sums[chain], g));
        f.set(products[chain], madd(g, normal, products[chain]));
      };
      const gradient = (bytes: number) => f32x4.mul(f32x4.load(given, bytes), f32x4.load(factors, bytes));
      walkRow(
        f,
        columns,
        [from, factors, given],
        CHAINS,
        (bytes, chain) => {
          f.set(g, gradient(bytes));
          collect(chain, normalised(f32x4.load(from, bytes)));
        },
        (count) => {
          // What lies behind the row may be NaN, which times 0 would stay.
          f.set(g, v128.and(gradient(0), firstLanes(count)));
          collect(0, v128.and(normalised(f32x4.load(from)), firstLanes(count)));
        },
      );
      const reciprocal = f.local(f32x4.splat(f32.div(f32.const(1), f32.convertI32S(columns))));
      const sum = f.local(foldChains(sums, f32x4.add));
      f.set(sum, f32x4.mul(foldLanes(f, sum, f32x4.add), reciprocal));
      const product = f.local(foldChains(products, f32x4.add));
      f.set(product, f32x4.mul(foldLanes(f, product, f32x4.add), reciprocal));

      mapRow(
        f,
        columns,
        [x, weight, dy],
        dx,
        (value, factor, each) =>
          f32x4.mul(nmadd(normalised(value), product, f32x4.sub(f32x4.mul(each, factor), sum)), scale),
        1,
      );
    },
    false,
  );
}

export function defineLayerNormBackward(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const row = defineRow(module, arithmetic);
  const totals = defineColumnTotals(module, 'layerNormBackwardTotals', {
    matrices: 2,
    perRow: MOMENTS,
    totals: 2,
    terms: ([x, dy], _, [mean, scale, shift]) => [
      f32x4.mul(dy, arithmetic.madd(f32x4.sub(x, mean), scale, shift)),
      dy,
    ],
  });
  const store = defineStoreTotals(module);
  module.function(
    'layerNormBackward',
    {
      rows: 'i32',
      columns: 'i32',
      epsilon: 'f32',
      x: 'i32',
      xRowBytes: 'i32',
      weight: 'i32',
      dy: 'i32',
      dyRowBytes: 'i32',
      dx: 'i32',
      dxRowBytes: 'i32',
      dweight: 'i32',
      dbias: 'i32',
      moments: 'i32',
      weightTotal: 'i32',
      biasTotal: 'i32',
    },
    (f, p) => {
      const { columns, x, xRowBytes, dy, dyRowBytes, weightTotal, biasTotal } = p;
      const [from, given, ofRow] = [f.local(x), f.local(dy), f.local(p.moments)];
      const left = f.local(p.rows);
      f.while(i32.gtS(left, i32.const(0)), () => {
        f.call(row, columns, p.epsilon, from, p.weight, given, p.dx, ofRow);
        f.increase(from, xRowBytes);
        f.increase(given, dyRowBytes);
        f.increase(p.dx, p.dxRowBytes);
        f.increase(ofRow, 4 * MOMENTS);
        f.increase(left, -1);
      });
      f.call(totals, p.rows, columns, x, xRowBytes, dy, dyRowBytes, p.moments, weightTotal, biasTotal);
      f.call(store, columns, i32.const(0), weightTotal, p.dweight);
      f.call(store, columns, i32.const(0), biasTotal, p.dbias);
    },
  );
}

export interface LayerNormBackwardExports {
  layerNormBackward(
    rows: number,
    columns: number,
    epsilon: number,
    x: number,
    xRowBytes: number,
    weight: number,
    dy: number,
    dyRowBytes: number,
    dx: number,
    dxRowBytes: number,
    dweight: number,
    dbias: number,
    moments: number,
    weightTotal: number,
    biasTotal: number,
  ): void;
}

export const layerNormBackwardSimd: SimdKernel<LayerNormBackward, LayerNormBackwardExports> = {
  name: 'layer-norm-backward',
  summary: 'four walks along a row in the cache, then columns by eight rows with float64 totals',
  define: defineLayerNormBackward,
  bind:
    (exports, memory) =>
    (
      rows,
      columns,
      epsilon,
      x,
      xOffset,
      xRowStride,
      weight,
      weightOffset,
      dy,
      dyOffset,
      dyRowStride,
      dx,
      dxOffset,
      dxRowStride,
      dweight,
      dweightOffset,
      dbias,
      dbiasOffset,
    ) => {
      const mark = memory.mark();
      try {
        const from = placeInput(memory, x, xOffset, rows, columns, xRowStride);
        const factors = placeInput(memory, weight, weightOffset, 1, columns, columns);
        const given = placeInput(memory, dy, dyOffset, rows, columns, dyRowStride);
        const to = placeOutput(memory, dx, dxOffset, rows, columns, dxRowStride);
        const toWeight = placeOutput(memory, dweight, dweightOffset, 1, columns, columns);
        const toBias = placeOutput(memory, dbias, dbiasOffset, 1, columns, columns);
        exports.layerNormBackward(
          rows,
          columns,
          epsilon,
          from.pointer,
          from.rowBytes,
          factors.pointer,
          given.pointer,
          given.rowBytes,
          to.pointer,
          to.rowBytes,
          toWeight.pointer,
          toBias.pointer,
          memory.push(4 * MOMENTS * rows),
          memory.push(totalBytes(columns)),
          memory.push(totalBytes(columns)),
        );
        returnOutput(memory, to, dx, dxOffset, rows, columns, dxRowStride);
        returnOutput(memory, toWeight, dweight, dweightOffset, 1, columns, columns);
        returnOutput(memory, toBias, dbias, dbiasOffset, 1, columns, columns);
      } finally {
        memory.pop(mark);
      }
    },
};
