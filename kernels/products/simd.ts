/** Products number by number with WebAssembly SIMD, four at a time. Both wait for memory. */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { f32x4 } from '../wasm/expression.js';
import {
  defineMap,
  definePairMap,
  type MapExport,
  onNumbers,
  onPairs,
  type PairMapExport,
} from '../wasm/flat.js';
import type { SimdKernel } from '../wasm/runtime.js';
import type { Multiply, Scale } from './reference.js';

/** Copies of the loop's body. */
const UNROLL = 4;

export function defineProducts(module: ModuleBuilder): void {
  defineMap(module, 'scale', UNROLL, (_, x, factor) => f32x4.mul(x, factor));
  definePairMap(module, 'multiply', UNROLL, (_, x, z) => f32x4.mul(x, z));
}

export interface ProductExports {
  readonly scale: MapExport;
  readonly multiply: PairMapExport;
}

export const scaleSimd: SimdKernel<Scale, ProductExports> = {
  name: 'scale',
  summary: 'four numbers at a time',
  define: defineProducts,
  bind: (exports, memory) => onNumbers(memory, exports.scale),
};

export const multiplySimd: SimdKernel<Multiply, ProductExports> = {
  name: 'multiply',
  summary: 'four numbers at a time',
  define: defineProducts,
  bind: (exports, memory) => {
    const run = onPairs(memory, exports.multiply);
    return (n, x, xOffset, z, zOffset, y, yOffset) => run(n, 0, x, xOffset, z, zOffset, y, yOffset);
  },
};
