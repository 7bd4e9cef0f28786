/**
 * The most that this machine's vector units do under WebAssembly: multiply-adds on registers and nothing else.
 *
 *   s_c ← s_c · x + y,  c = 0 .. chains - 1
 *
 * A multiply-add takes 6 to 8 cycles until its result can be used, and one or two can begin in each, so a dozen
 * independent chains keep the units busy: 13 sums, x and y fill the 15 registers that V8 has. How many chains
 * and how long a loop suit a machine best nobody knows, so several are tried. s converges to y / (1 - x), which
 * keeps it away from infinities and from denormal numbers.
 *
 * There are no fences as in the kernels: each would take a place in the processor's pipeline, 1 in 25, and the
 * processor finds its way between chains that V8 puts one after another as long as the loop is short.
 */
import type { ModuleBuilder } from '../kernels/wasm/assembler.js';
import { f32x4, i32 } from '../kernels/wasm/expression.js';
import type { KernelMemory } from '../kernels/wasm/memory.js';
import { type Arithmetic, type SimdKernel, simdVariants } from '../kernels/wasm/runtime.js';

const LANES = 4;
const MOST_CHAINS = 13;
const [X, Y] = [0.75, 0.5];

export interface PeakShape {
  readonly chains: number;
  /** Multiply-adds of every chain in one turn of the loop. */
  readonly unroll: number;
}

/** The shapes that are tried. */
export const PEAK_SHAPES: readonly PeakShape[] = [12, MOST_CHAINS].flatMap((chains) =>
  [1, 2, 3, 4].map((unroll) => ({ chains, unroll })),
);

const nameOf = ({ chains, unroll }: PeakShape): string => `peak${chains}x${unroll}`;

/** The first value of a lane: each differs, or the engine could find that all chains are the same. */
const firstValue = (chain: number, lane: number): number => 0.125 * chain + 0.25 * lane;

/** What `steps` multiply-adds in float32, each rounded twice, make of one lane. */
export function expectedValue(chain: number, lane: number, steps: number): number {
  let s = firstValue(chain, lane);
  for (let i = 0; i < steps; i++) s = Math.fround(Math.fround(s * X) + Y);
  return s;
}

/** Runs `turns` turns of the loop and gives the sums [chains, 4]. */
export type Peak = (shape: PeakShape, turns: number) => Float32Array;

type PeakExports = Record<string, (result: number, turns: number) => void>;

function definePeak(module: ModuleBuilder, { madd }: Arithmetic): void {
  for (const shape of PEAK_SHAPES) {
    module.function(nameOf(shape), { result: 'i32', turns: 'i32' }, (f, { result, turns }) => {
      const [x, y] = [f.local(f32x4.constSplat(X)), f.local(f32x4.constSplat(Y))];
      const sums = Array.from({ length: shape.chains }, (_, chain) => {
        const at = (lane: number) => firstValue(chain, lane);
        return f.local(f32x4.const(at(0), at(1), at(2), at(3)));
      });
      f.while(i32.gtS(turns, i32.const(0)), () => {
        for (let step = 0; step < shape.unroll; step++) {
          for (const sum of sums) f.set(sum, madd(sum, x, y));
        }
        f.increase(turns, -1);
      });
      sums.forEach((sum, chain) => {
        f.store(result, sum, 4 * LANES * chain);
      });
    });
  }
}

const peakSimd: SimdKernel<Peak, PeakExports> = {
  name: 'peak',
  summary: 'multiply-adds on registers',
  define: definePeak,
  bind: (exports: PeakExports, memory: KernelMemory) => {
    const result = memory.keepFloats(LANES * MOST_CHAINS);
    return (shape, turns) => {
      exports[nameOf(shape)]!(result.byteOffset, turns);
      return result.subarray(0, LANES * shape.chains);
    };
  },
};

/** Multiplications and additions apart (`simd`), and fused (`relaxed`). */
export const peakVariants = simdVariants(peakSimd);
export type PeakName = 'simd' | 'relaxed';

/** Work of about half a millisecond for a benchmark, and how many operations it is. */
export interface PeakRun {
  readonly operations: number;
  run(): void;
}

const STEPS = 120_000;

/** The run of the fastest shape, found in a few rounds; null where the variant does not run here. */
export function fastestPeak(name: PeakName, rounds = 25): PeakRun | null {
  const variant = peakVariants.find((each) => each.name === name)!;
  if (variant.available() !== true) return null;
  const peak = variant.load();
  const runs = PEAK_SHAPES.map((shape) => {
    const turns = Math.ceil(STEPS / shape.unroll);
    const operations = 2 * LANES * shape.chains * shape.unroll * turns;
    return { operations, run: () => void peak(shape, turns), best: 0 };
  });
  for (let round = 0; round < rounds; round++) {
    for (const each of runs) each.best = Math.max(each.best, operationsPerSecond(each));
  }
  return runs.reduce((a, b) => (a.best >= b.best ? a : b));
}

function operationsPerSecond({ operations, run }: PeakRun): number {
  const start = performance.now();
  run();
  return (1e3 * operations) / (performance.now() - start);
}

/** Operations per second of the vector units, the best of many rounds; null where the variant does not run here. */
export function measurePeak(name: PeakName, rounds = 200): number | null {
  const fastest = fastestPeak(name);
  if (fastest === null) return null;
  return Math.max(...Array.from({ length: rounds }, () => operationsPerSecond(fastest)));
}
