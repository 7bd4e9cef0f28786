/**
 * Sums of many numbers with WebAssembly SIMD. Every number becomes a float64 before it is added, two in a vector, in four
 * sums that do not wait for one another.
 */
import { callValue, type Local, type ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, f64, f64x2, type V128, v128 } from '../wasm/expression.js';
import type { KernelMemory } from '../wasm/memory.js';
import { placeInput } from '../wasm/operands.js';
import { chainsOf, firstLanes, foldChains, inParts, walkRow } from '../wasm/rows.js';
import type { SimdKernel } from '../wasm/runtime.js';
import type { Reduction } from './reference.js';

/** Vectors per round; each has two sums. */
const CHAINS = 2;

/** Adds an exported Σ term(x). */
function defineReduction(module: ModuleBuilder, name: string, term: (x: Local<'v128'>) => V128): void {
  const parameters = { n: 'i32', x: 'i32' } as const;
  const part = module.functionOf(
    `${name}Part`,
    parameters,
    'f64',
    (f, { n, x }) => {
      const sums = chainsOf(f, 2 * CHAINS, f64x2.constSplat(0));
      const value = f.declare('v128');
      const half = f.declare('v128');
      const collect = (chain: number, loaded: V128) => {
        f.set(value, loaded);
        [value, f32x4.shuffle(value, value, [2, 3, 2, 3])].forEach((each, h) => {
          const sum = sums[2 * chain + h];
          f.set(half, f64x2.promoteLowF32x4(each));
          f.set(sum, f64x2.add(sum, term(half)));
        });
      };
      walkRow(
        f,
        n,
        [x],
        CHAINS,
        (bytes, chain) => collect(chain, f32x4.load(x, bytes)),
        (count) => collect(0, v128.and(f32x4.load(x), firstLanes(count))),
      );
      const sum = f.local(foldChains(sums, f64x2.add));
      return f64.add(f64x2.extractLane(sum, 0), f64x2.extractLane(sum, 1));
    },
    false,
  );
  module.functionOf(name, parameters, 'f64', (f, { n, x }) => {
    const total = f.local(f64.const(0));
    inParts(f, n, [x], (count) => f.set(total, f64.add(total, callValue('f64', part, count, x))));
    return total;
  });
}

export function defineReductions(module: ModuleBuilder): void {
  defineReduction(module, 'sum', (x) => x);
  defineReduction(module, 'sumOfSquares', (x) => f64x2.mul(x, x));
}

type ReductionExport = (n: number, x: number) => number;

export interface ReductionExports {
  readonly sum: ReductionExport;
  readonly sumOfSquares: ReductionExport;
}

const onNumbers =
  (memory: KernelMemory, run: ReductionExport): Reduction =>
  (n, x, xOffset) => {
    const mark = memory.mark();
    try {
      return run(n, placeInput(memory, x, xOffset, 1, n, n).pointer);
    } finally {
      memory.pop(mark);
    }
  };

export const sumSimd: SimdKernel<Reduction, ReductionExports> = {
  name: 'sum',
  summary: 'float64, two numbers in a vector, four sums',
  define: defineReductions,
  bind: (exports, memory) => onNumbers(memory, exports.sum),
};

export const sumOfSquaresSimd: SimdKernel<Reduction, ReductionExports> = {
  name: 'sum-of-squares',
  summary: 'float64, two numbers in a vector, four sums',
  define: defineReductions,
  bind: (exports, memory) => onNumbers(memory, exports.sumOfSquares),
};
