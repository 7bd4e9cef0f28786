/**
 * Activations with WebAssembly SIMD, four numbers at a time. Rectifiers and the residual addition wait for memory;
 * swish and the gated linear unit for the exponential (wasm/math.ts: 23 operations) and one division.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32, type V128, v128 } from '../wasm/expression.js';
import { sigmoid, swish } from '../wasm/math.js';
import type { KernelMemory } from '../wasm/memory.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { inParts, mapRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { Activation, Glu, LeakyRelu, ScaledAdd } from './reference.js';

/** Copies of the loop's body. */
const UNROLL = 4;

/** Adds an exported y[i] = map(x[i]) with `parameter`, a number that is the same for all. */
function defineMap(
  module: ModuleBuilder,
  name: string,
  unroll: number,
  map: (f: FunctionBuilder, x: Local<'v128'>, parameter: Local<'v128'>) => V128,
): void {
  const parameters = { n: 'i32', parameter: 'f32', x: 'i32', y: 'i32' } as const;
  const part = module.function(
    `${name}Part`,
    parameters,
    (f, { n, parameter, x, y }) => {
      const same = f.local(f32x4.splat(parameter));
      mapRow(f, n, [x], y, (value) => map(f, value, same), unroll);
    },
    false,
  );
  module.function(name, parameters, (f, { n, parameter, x, y }) => {
    inParts(f, n, [x, y], (count) => f.call(part, count, parameter, x, y));
  });
}

export function defineActivations(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const zero = f32x4.constSplat(0);
  defineMap(module, 'swish', 1, (f, x) => swish(f, arithmetic, x));
  // pmax keeps a NaN that stands first; max would take three instructions more.
  defineMap(module, 'relu', UNROLL, (_, x) => f32x4.pmax(x, zero));
  defineMap(module, 'leakyRelu', UNROLL, (_, x, slope) =>
    v128.bitselect(f32x4.mul(x, slope), x, f32x4.lt(x, zero)),
  );

  const added = { n: 'i32', x: 'i32', scale: 'f32', z: 'i32', y: 'i32' } as const;
  const addPart = module.function(
    'scaledAddPart',
    added,
    (f, { n, x, scale, z, y }) => {
      const factor = f.local(f32x4.splat(scale));
      mapRow(f, n, [x, z], y, (a, b) => arithmetic.madd(b, factor, a), UNROLL);
    },
    false,
  );
  module.function('scaledAdd', added, (f, { n, x, scale, z, y }) => {
    inParts(f, n, [x, z, y], (count) => f.call(addPart, count, x, scale, z, y));
  });

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

type MapExport = (n: number, parameter: number, x: number, y: number) => void;

export interface ActivationExports {
  readonly swish: MapExport;
  readonly relu: MapExport;
  readonly leakyRelu: MapExport;
  scaledAdd(n: number, x: number, scale: number, z: number, y: number): void;
  glu(rows: number, columns: number, x: number, xRowBytes: number, y: number, yRowBytes: number): void;
}

const onNumbers =
  (memory: KernelMemory, run: MapExport): LeakyRelu =>
  (n, parameter, x, xOffset, y, yOffset) => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, x, xOffset, 1, n, n);
      const to = placeOutput(memory, y, yOffset, 1, n, n);
      run(n, parameter, from.pointer, to.pointer);
      returnOutput(memory, to, y, yOffset, 1, n, n);
    } finally {
      memory.pop(mark);
    }
  };

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
  bind: (exports, memory) => (n, x, xOffset, scale, z, zOffset, y, yOffset) => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, x, xOffset, 1, n, n);
      const added = placeInput(memory, z, zOffset, 1, n, n);
      const to = placeOutput(memory, y, yOffset, 1, n, n);
      exports.scaledAdd(n, from.pointer, scale, added.pointer, to.pointer);
      returnOutput(memory, to, y, yOffset, 1, n, n);
    } finally {
      memory.pop(mark);
    }
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
