/**
 * Gradients of activations with WebAssembly SIMD, four numbers at a time. Those of the rectifiers are a comparison and a
 * selection, and wait for memory; those of swish and the gated linear unit for the exponential (wasm/math.ts).
 */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32, type V128, v128 } from '../wasm/expression.js';
import { definePairMap, onPairs, type PairMapExport } from '../wasm/flat.js';
import { sigmoid } from '../wasm/math.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { storeLanes, walkRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { ActivationBackward, GluBackward, LeakyReluBackward } from './reference.js';

/** Copies of the loop's body. */
const UNROLL = 4;

export function defineActivationsBackward(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const { madd } = arithmetic;
  const zero = f32x4.constSplat(0);
  const one = f32x4.constSplat(1);
  definePairMap(module, 'swishBackward', 1, (f, x, dy) => {
    const s = f.local(sigmoid(f, arithmetic, x));
    return f32x4.mul(f32x4.mul(dy, s), madd(x, f32x4.sub(one, s), one));
  });
  // Comparisons with NaN are false, so it counts as positive.
  definePairMap(module, 'reluBackward', UNROLL, (_, x, dy) => v128.andnot(dy, f32x4.le(x, zero)));
  definePairMap(module, 'leakyReluBackward', UNROLL, (_, x, dy, slope) =>
    v128.bitselect(f32x4.mul(dy, slope), dy, f32x4.le(x, zero)),
  );

  const row = module.function(
    'gluBackwardRow',
    { columns: 'i32', x: 'i32', dy: 'i32', dx: 'i32' },
    (f, { columns, x, dy, dx }) => {
      const bytes = f.local(i32.shl(columns, i32.const(2)));
      const gate = f.local(i32.add(x, bytes));
      const toGate = f.local(i32.add(dx, bytes));
      const value = f.declare('v128');
      const ofGate = f.declare('v128');
      const four = () => {
        const s: V128 = f.local(sigmoid(f, arithmetic, f32x4.load(gate)));
        f.set(value, f32x4.mul(f32x4.load(dy), s));
        f.set(ofGate, f32x4.mul(f32x4.mul(value, f32x4.load(x)), f32x4.sub(one, s)));
      };
      walkRow(
        f,
        columns,
        [x, gate, dy, dx, toGate],
        1,
        () => {
          four();
          f.store(dx, value);
          f.store(toGate, ofGate);
        },
        (count) => {
          four();
          storeLanes(f, dx, value, count);
          storeLanes(f, toGate, ofGate, count);
        },
      );
    },
    false,
  );
  module.function(
    'gluBackward',
    {
      rows: 'i32',
      columns: 'i32',
      x: 'i32',
      xRowBytes: 'i32',
      dy: 'i32',
      dyRowBytes: 'i32',
      dx: 'i32',
      dxRowBytes: 'i32',
    },
    (f, { rows, columns, x, xRowBytes, dy, dyRowBytes, dx, dxRowBytes }) => {
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.call(row, columns, x, dy, dx);
        f.increase(x, xRowBytes);
        f.increase(dy, dyRowBytes);
        f.increase(dx, dxRowBytes);
        f.increase(rows, -1);
      });
    },
  );
}

export interface ActivationBackwardExports {
  readonly swishBackward: PairMapExport;
  readonly reluBackward: PairMapExport;
  readonly leakyReluBackward: PairMapExport;
  gluBackward(
    rows: number,
    columns: number,
    x: number,
    xRowBytes: number,
    dy: number,
    dyRowBytes: number,
    dx: number,
    dxRowBytes: number,
  ): void;
}

const withoutParameter =
  (run: ReturnType<typeof onPairs>): ActivationBackward =>
  (n, x, xOffset, dy, dyOffset, dx, dxOffset) =>
    run(n, 0, x, xOffset, dy, dyOffset, dx, dxOffset);

export const swishBackwardSimd: SimdKernel<ActivationBackward, ActivationBackwardExports> = {
  name: 'swish-backward',
  summary: 'polynomial exponential, four numbers at a time',
  define: defineActivationsBackward,
  bind: (exports, memory) => withoutParameter(onPairs(memory, exports.swishBackward)),
};

export const reluBackwardSimd: SimdKernel<ActivationBackward, ActivationBackwardExports> = {
  name: 'relu-backward',
  summary: 'four numbers at a time, a mask rather than a branch',
  define: defineActivationsBackward,
  bind: (exports, memory) => withoutParameter(onPairs(memory, exports.reluBackward)),
};

export const leakyReluBackwardSimd: SimdKernel<LeakyReluBackward, ActivationBackwardExports> = {
  name: 'leaky-relu-backward',
  summary: 'four numbers at a time, a selection rather than a branch',
  define: defineActivationsBackward,
  bind: (exports, memory) => onPairs(memory, exports.leakyReluBackward),
};

export const gluBackwardSimd: SimdKernel<GluBackward, ActivationBackwardExports> = {
  name: 'glu-backward',
  summary: 'polynomial exponential, both halves of four columns at a time',
  define: defineActivationsBackward,
  bind:
    (exports, memory) =>
    (rows, columns, x, xOffset, xRowStride, dy, dyOffset, dyRowStride, dx, dxOffset, dxRowStride) => {
      const mark = memory.mark();
      try {
        const from = placeInput(memory, x, xOffset, rows, 2 * columns, xRowStride);
        const given = placeInput(memory, dy, dyOffset, rows, columns, dyRowStride);
        const to = placeOutput(memory, dx, dxOffset, rows, 2 * columns, dxRowStride);
        exports.gluBackward(
          rows,
          columns,
          from.pointer,
          from.rowBytes,
          given.pointer,
          given.rowBytes,
          to.pointer,
          to.rowBytes,
        );
        returnOutput(memory, to, dx, dxOffset, rows, 2 * columns, dxRowStride);
      } finally {
        memory.pop(mark);
      }
    },
};
