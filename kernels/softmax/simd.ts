/**
 * Row softmax and its logarithm with WebAssembly SIMD: the row's maximum, then the exponentials and their sum by
 * polynomial (wasm/math.ts), then the scaling; three walks along a row that stays in the first-level cache.
 *
 * About 22 operations per element, nearly all for the exponential. Sums are float32 in four lanes; their terms lie
 * between 0 and 1. NaN spreads over its row through the sum.
 */
import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, type I32, i32, type V128, v128 } from '../wasm/expression.js';
import { expNegative, log } from '../wasm/math.js';
import type { KernelMemory } from '../wasm/memory.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import {
  chainsOf,
  firstLanes,
  foldChains,
  foldLanes,
  lanesOr,
  mapRow,
  storeLanes,
  walkRow,
} from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { Softmax } from './reference.js';

/** Maxima and sums per walk, so that they do not wait for one another. */
const CHAINS = 4;
const EXP_CHAINS = 2;

/**
 * The largest of `columns` numbers in every lane. Numbers do not count where `masked`, a row of the same length,
 * has all bits set; -∞ where that leaves none.
 */
export function rowMaximum(
  f: FunctionBuilder,
  columns: I32,
  x: I32,
  masked: I32 | null = null,
): Local<'v128'> {
  const from = f.local(x);
  const mask = f.local(masked ?? x);
  const least = f32x4.constSplat(-Infinity);
  const largest = chainsOf(f, CHAINS, least);
  const collect = (chain: number, value: V128) => f.set(largest[chain]!, f32x4.pmax(largest[chain]!, value));
  const load = (bytes: number) =>
    masked ? v128.bitselect(least, f32x4.load(from, bytes), v128.load(mask, bytes)) : f32x4.load(from, bytes);
  walkRow(
    f,
    columns,
    masked ? [from, mask] : [from],
    CHAINS,
    (bytes, chain) => collect(chain, load(bytes)),
    (count) => collect(0, lanesOr(count, load(0), least)),
  );
  const folded = f.local(foldChains(largest, f32x4.pmax));
  return f.local(foldLanes(f, folded, f32x4.pmax));
}

/**
 * Σ exp(x - largest) over a row, in every lane; the exponentials go to `y` where there is one, zeros where `masked`
 * has all bits set.
 */
export function rowExponentials(
  f: FunctionBuilder,
  arithmetic: Arithmetic,
  columns: I32,
  x: I32,
  largest: Local<'v128'>,
  y: I32 | null,
  masked: I32 | null = null,
): Local<'v128'> {
  const from = f.local(x);
  const to = f.local(y ?? x);
  const mask = f.local(masked ?? x);
  const sums = chainsOf(f, EXP_CHAINS, f32x4.constSplat(0));
  const e = f.declare('v128');
  const exponential = (bytes: number) => {
    f.set(e, expNegative(f, arithmetic, f32x4.sub(f32x4.load(from, bytes), largest)));
    if (masked) f.set(e, v128.andnot(e, v128.load(mask, bytes)));
  };
  walkRow(
    f,
    columns,
    masked ? [from, to, mask] : [from, to],
    EXP_CHAINS,
    (bytes, chain) => {
      exponential(bytes);
      f.set(sums[chain]!, f32x4.add(sums[chain]!, e));
      if (y) f.store(to, e, bytes);
    },
    (count) => {
      exponential(0);
      f.set(sums[0]!, f32x4.add(sums[0]!, v128.and(e, firstLanes(count))));
      if (y) storeLanes(f, to, e, count);
    },
  );
  const sum = f.local(foldChains(sums, f32x4.add));
  return f.local(foldLanes(f, sum, f32x4.add));
}

const ROW_PARAMETERS = { columns: 'i32', x: 'i32', y: 'i32' } as const;

/** Adds `softmaxRow`: one row; y may be x. */
export function defineSoftmaxRow(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  return module.function(
    'softmaxRow',
    ROW_PARAMETERS,
    (f, { columns, x, y }) => {
      const largest = rowMaximum(f, columns, x);
      const sum = rowExponentials(f, arithmetic, columns, x, largest, y);
      const normaliser = f.local(f32x4.div(f32x4.constSplat(1), sum));
      mapRow(f, columns, [y], y, (e) => f32x4.mul(e, normaliser));
    },
    false,
  );
}

/** Adds `logSoftmaxRow`: one row; y may be x. */
function defineLogSoftmaxRow(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  return module.function(
    'logSoftmaxRow',
    ROW_PARAMETERS,
    (f, { columns, x, y }) => {
      const largest = rowMaximum(f, columns, x);
      const sum = rowExponentials(f, arithmetic, columns, x, largest, null);
      // The polynomial takes NaN for a number; sum - sum brings it back, and is 0 else.
      const logSum = f.local(f32x4.add(log(f, arithmetic, sum), f32x4.sub(sum, sum)));
      mapRow(f, columns, [x], y, (value) => f32x4.sub(f32x4.sub(value, largest), logSum));
    },
    false,
  );
}

/** Adds the exported loops over rows. */
export function defineSoftmax(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const define = (name: string, row: FunctionReference) => {
    module.function(
      name,
      { rows: 'i32', columns: 'i32', x: 'i32', xRowBytes: 'i32', y: 'i32', yRowBytes: 'i32' },
      (f, { rows, columns, x, xRowBytes, y, yRowBytes }) => {
        f.while(i32.gtS(rows, i32.const(0)), () => {
          f.call(row, columns, x, y);
          f.increase(x, xRowBytes);
          f.increase(y, yRowBytes);
          f.increase(rows, -1);
        });
      },
    );
  };
  define('softmax', defineSoftmaxRow(module, arithmetic));
  define('logSoftmax', defineLogSoftmaxRow(module, arithmetic));
}

type RowsExport = (
  rows: number,
  columns: number,
  x: number,
  xRowBytes: number,
  y: number,
  yRowBytes: number,
) => void;

interface SoftmaxExports {
  readonly softmax: RowsExport;
  readonly logSoftmax: RowsExport;
}

const onRows =
  (memory: KernelMemory, run: RowsExport): Softmax =>
  (rows, columns, x, xOffset, xRowStride, y, yOffset, yRowStride) => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, x, xOffset, rows, columns, xRowStride);
      const to = placeOutput(memory, y, yOffset, rows, columns, yRowStride);
      run(rows, columns, from.pointer, from.rowBytes, to.pointer, to.rowBytes);
      returnOutput(memory, to, y, yOffset, rows, columns, yRowStride);
    } finally {
      memory.pop(mark);
    }
  };

const summary = 'polynomial exponential, four numbers at a time';

export const softmaxSimd: SimdKernel<Softmax, SoftmaxExports> = {
  name: 'softmax',
  summary,
  define: defineSoftmax,
  bind: (exports, memory) => onRows(memory, exports.softmax),
};

export const logSoftmaxSimd: SimdKernel<Softmax, SoftmaxExports> = {
  name: 'log-softmax',
  summary,
  define: defineSoftmax,
  bind: (exports, memory) => onRows(memory, exports.logSoftmax),
};
