/**
 * Gradients of the row softmax and its logarithm with WebAssembly SIMD: one walk along a row for the sum, one for dx.
 * Sums are float32 in four vectors.
 */
import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, type I32, i32, type V128, v128 } from '../wasm/expression.js';
import { exp } from '../wasm/math.js';
import type { KernelMemory } from '../wasm/memory.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { chainsOf, firstLanes, foldChains, foldLanes, mapRow, walkRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { SoftmaxBackward } from './reference.js';

/** Sums per walk, so that additions do not wait for one another. */
const CHAINS = 4;

const ROW = { columns: 'i32', y: 'i32', dy: 'i32', dx: 'i32' } as const;

/** Σ term over a row, in every lane. */
function rowSum(
  f: FunctionBuilder,
  columns: I32,
  pointers: readonly I32[],
  term: (loads: (bytes: number) => readonly V128[], bytes: number, sum: V128) => V128,
): Local<'v128'> {
  const from = pointers.map((pointer) => f.local(pointer));
  const loads = (bytes: number) => from.map((pointer) => f32x4.load(pointer, bytes));
  const sums = chainsOf(f, CHAINS, f32x4.constSplat(0));
  walkRow(
    f,
    columns,
    from,
    CHAINS,
    (bytes, chain) => f.set(sums[chain], term(loads, bytes, sums[chain])),
    (count) => {
      const last = v128.and(term(loads, 0, f32x4.constSplat(0)), firstLanes(count));
      f.set(sums[0], f32x4.add(sums[0], last));
    },
  );
  const sum = f.local(foldChains(sums, f32x4.add));
  return f.local(foldLanes(f, sum, f32x4.add));
}

export function defineSoftmaxBackward(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const { madd, nmadd } = arithmetic;
  const softmaxRow = module.function(
    'softmaxBackwardRow',
    ROW,
    (f, { columns, y, dy, dx }) => {
      const sum = rowSum(f, columns, [y, dy], (loads, bytes, before) => {
        const [value, given] = loads(bytes);
        return madd(value, given, before);
      });
      mapRow(f, columns, [y, dy], dx, (value, given) => f32x4.mul(value, f32x4.sub(given, sum)));
    },
    false,
  );
  const logSoftmaxRow = module.function(
    'logSoftmaxBackwardRow',
    ROW,
    (f, { columns, y, dy, dx }) => {
      const sum = rowSum(f, columns, [dy], (loads, bytes, before) => f32x4.add(before, loads(bytes)[0]));
      mapRow(f, columns, [y, dy], dx, (value, given) => nmadd(exp(f, arithmetic, value), sum, given), 1);
    },
    false,
  );
  const define = (name: string, row: FunctionReference) => {
    module.function(
      name,
      {
        rows: 'i32',
        columns: 'i32',
        y: 'i32',
        yRowBytes: 'i32',
        dy: 'i32',
        dyRowBytes: 'i32',
        dx: 'i32',
        dxRowBytes: 'i32',
      },
      (f, { rows, columns, y, yRowBytes, dy, dyRowBytes, dx, dxRowBytes }) => {
        f.while(i32.gtS(rows, i32.const(0)), () => {
          f.call(row, columns, y, dy, dx);
          f.increase(y, yRowBytes);
          f.increase(dy, dyRowBytes);
          f.increase(dx, dxRowBytes);
          f.increase(rows, -1);
        });
      },
    );
  };
  define('softmaxBackward', softmaxRow);
  define('logSoftmaxBackward', logSoftmaxRow);
}

type RowsExport = (
  rows: number,
  columns: number,
  y: number,
  yRowBytes: number,
  dy: number,
  dyRowBytes: number,
  dx: number,
  dxRowBytes: number,
) => void;

interface SoftmaxBackwardExports {
  readonly softmaxBackward: RowsExport;
  readonly logSoftmaxBackward: RowsExport;
}

const onRows =
  (memory: KernelMemory, run: RowsExport): SoftmaxBackward =>
  (rows, columns, y, yOffset, yRowStride, dy, dyOffset, dyRowStride, dx, dxOffset, dxRowStride) => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, y, yOffset, rows, columns, yRowStride);
      const given = placeInput(memory, dy, dyOffset, rows, columns, dyRowStride);
      const to = placeOutput(memory, dx, dxOffset, rows, columns, dxRowStride);
      run(rows, columns, from.pointer, from.rowBytes, given.pointer, given.rowBytes, to.pointer, to.rowBytes);
      returnOutput(memory, to, dx, dxOffset, rows, columns, dxRowStride);
    } finally {
      memory.pop(mark);
    }
  };

export const softmaxBackwardSimd: SimdKernel<SoftmaxBackward, SoftmaxBackwardExports> = {
  name: 'softmax-backward',
  summary: 'four sums per walk, two walks along a row',
  define: defineSoftmaxBackward,
  bind: (exports, memory) => onRows(memory, exports.softmaxBackward),
};

export const logSoftmaxBackwardSimd: SimdKernel<SoftmaxBackward, SoftmaxBackwardExports> = {
  name: 'log-softmax-backward',
  summary: 'four sums per walk, polynomial exponential',
  define: defineSoftmaxBackward,
  bind: (exports, memory) => onRows(memory, exports.logSoftmaxBackward),
};
