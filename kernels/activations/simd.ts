/**
 * Activations with WebAssembly SIMD, four numbers at a time. Rectifiers and the residual addition wait for memory;
 * swish and the gated linear unit for the exponential (wasm/math.ts: 23 operations) and one division.
 */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32, v128 } from '../wasm/expression.js';
import {
  defineMap,
  definePairMap,
  type MapExport,
  onNumbers,
  onPairs,
  type PairMapExport,
} from '../wasm/flat.js';
import { sigmoid, swish } from '../wasm/math.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { mapRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { Activation, Glu, LeakyRelu, ScaledAdd } from './reference.js';

/** Copies of the loop's body. */
const UNROLL = 4;

export function defineActivations(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const zero = f32x4.constSplat(0);
  defineMap(module, 'swish', 1, (f, x) => swish(f, arithmetic, x));
  // pmax keeps a NaN that stands first; max would take three instructions more.
  defineMap(module, 'relu', UNROLL, (_, x) => f32x4.pmax(x, zero));
  defineMap(module, 'leakyRelu', UNROLL, (_, x, slope) =>
    v128.bitselect(f32x4.mul(x, slope), x, f32x4.lt(x, zero)),
  );

  definePairMap(module, 'scaledAdd', UNROLL, (_, x, z, scale) => arithmetic.madd(z, scale, x));

  const gluRow = module.function(
    'gluRow',
    { columns: 'i32', x: 'i32', gate: 'i32', y: 'i32' },
    (f, { columns, x, gate, y }) => {
      mapRow(f, columns, [x, gate], y, (a, b) => f32x4.mul(a, sigmoid(f, arithmetic, b)), 1);
    },
    false,
  );
  module.function(
    'glu',
    { rows: 'i32', columns: 'i32', x: 'i32', xRowBytes: 'i32', y: 'i32', yRowBytes: 'i32' },
    (f, { rows, columns, x, xRowBytes, y, yRowBytes }) => {
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.call(gluRow, columns, x, i32.add(x, i32.shl(columns, i32.const(2))), y);
        f.increase(x, xRowBytes);
        f.increase(y, yRowBytes);
        f.increase(rows, -1);
      });
    },
  );
}

export interface ActivationExports {
  readonly swish: MapExport;
  readonly relu: MapExport;
  readonly leakyRelu: MapExport;
  readonly scaledAdd: PairMapExport;
  glu(rows: number, columns: number, x: number, xRowBytes: number, y: number, yRowBytes: number): void;
}

const withoutParameter =
  (run: LeakyRelu): Activation =>
  (n, x, xOffset, y, yOffset) =>
    run(n, 0, x, xOffset, y, yOffset);

export const swishSimd: SimdKernel<Activation, ActivationExports> = {
  name: 'swish',
  summary: 'polynomial exponential, four numbers at a time',
  define: defineActivations,
  bind: (exports, memory) => withoutParameter(onNumbers(memory, exports.swish)),
};

export const reluSimd: SimdKernel<Activation, ActivationExports> = {
  name: 'relu',
  summary: 'four numbers at a time',
  define: defineActivations,
  bind: (exports, memory) => withoutParameter(onNumbers(memory, exports.relu)),
};

export const leakyReluSimd: SimdKernel<LeakyRelu, ActivationExports> = {
  name: 'leaky-relu',
  summary: 'four numbers at a time, a selection rather than a branch',
  define: defineActivations,
  bind: (exports, memory) => onNumbers(memory, exports.leakyRelu),
};

export const scaledAddSimd: SimdKernel<ScaledAdd, ActivationExports> = {
  name: 'scaled-add',
  summary: 'four numbers at a time',
  define: defineActivations,
  bind: (exports, memory) => {
    const run = onPairs(memory, exports.scaledAdd);
    return (n, x, xOffset, scale, z, zOffset, y, yOffset) =>
      run(n, scale, x, xOffset, z, zOffset, y, yOffset);
  },
};

export const gluSimd: SimdKernel<Glu, ActivationExports> = {
  name: 'glu',
  summary: 'polynomial exponential, four outputs at a time',
  define: defineActivations,
  bind: (exports, memory) => (rows, columns, x, xOffset, xRowStride, y, yOffset, yRowStride) => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, x, xOffset, rows, 2 * columns, xRowStride);
      const to = placeOutput(memory, y, yOffset, rows, columns, yRowStride);
      exports.glu(rows, columns, from.pointer, from.rowBytes, to.pointer, to.rowBytes);
      returnOutput(memory, to, y, yOffset, rows, columns, yRowStride);
    } finally {
      memory.pop(mark);
    }
  },
};
