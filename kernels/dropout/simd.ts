/**
 * Dropout with WebAssembly SIMD: four indices are mixed at a time, in the same 32-bit integers as in the reference, and a
 * comparison makes the mask that the products are cut with.
 */
import type { FunctionBuilder, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32, i32x4, type V128, v128 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { inParts, storeLanes, walkRow } from '../wasm/rows.js';
import type { SimdKernel } from '../wasm/runtime.js';
import { type Dropout, factorOf, MIXER, mix, thresholdOf } from './reference.js';

const integer = (value: number): V128 => i32x4.constSplat(value | 0);

/** The mixer of four numbers at a time. */
function mixed(f: FunctionBuilder, value: V128): V128 {
  const h = f.local(value);
  const fold = (shift: number) => v128.xor(h, i32x4.shrU(h, i32.const(shift)));
  MIXER.multipliers.forEach((multiplier, i) => {
    f.set(h, i32x4.mul(fold(MIXER.shifts[i]), integer(multiplier)));
  });
  return fold(MIXER.shifts[2]);
}

export function defineDropout(module: ModuleBuilder): void {
  const part = module.function(
    'dropoutPart',
    { n: 'i32', first: 'i32', key: 'i32', threshold: 'i32', factor: 'f32', x: 'i32', y: 'i32' },
    (f, { n, first, key, threshold, factor, x, y }) => {
      const index = f.local(i32x4.add(i32x4.splat(first), i32x4.const(0, 1, 2, 3)));
      const keys = f.local(i32x4.splat(key));
      // At least the threshold is more than one less.
      const below = f.local(i32x4.splat(i32.sub(threshold, i32.const(1))));
      const factors = f.local(f32x4.splat(factor));
      const value = f.declare('v128');
      const four = () => {
        const drawn = i32x4.shrU(mixed(f, v128.xor(index, keys)), i32.const(8));
        const stays = i32x4.gtS(drawn, below);
        f.set(value, v128.and(f32x4.mul(f32x4.load(x), factors), stays));
        f.set(index, i32x4.add(index, integer(4)));
      };
      walkRow(
        f,
        n,
        [x, y],
        1,
        () => {
          four();
          f.store(y, value);
        },
        (count) => {
          four();
          storeLanes(f, y, value, count);
        },
      );
    },
    false,
  );
  module.function(
    'dropout',
    { n: 'i32', key: 'i32', threshold: 'i32', factor: 'f32', x: 'i32', y: 'i32' },
    (f, { n, key, threshold, factor, x, y }) => {
      const start = f.local(x);
      inParts(f, n, [x, y], (count) => {
        const first = i32.shrU(i32.sub(x, start), i32.const(2));
        f.call(part, count, first, key, threshold, factor, x, y);
      });
    },
  );
}

export interface DropoutExports {
  dropout(n: number, key: number, threshold: number, factor: number, x: number, y: number): void;
}

export const dropoutSimd: SimdKernel<Dropout, DropoutExports> = {
  name: 'dropout',
  summary: 'four indices mixed at a time, a mask rather than a branch',
  define: defineDropout,
  bind: (exports, memory) => (n, rate, seed, x, xOffset, y, yOffset) => {
    const mark = memory.mark();
    try {
      const from = placeInput(memory, x, xOffset, 1, n, n);
      const to = placeOutput(memory, y, yOffset, 1, n, n);
      exports.dropout(n, mix(seed), thresholdOf(rate), factorOf(rate), from.pointer, to.pointer);
      returnOutput(memory, to, y, yOffset, 1, n, n);
    } finally {
      memory.pop(mark);
    }
  },
};
