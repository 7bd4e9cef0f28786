/**
 * Steps of parameters with WebAssembly SIMD, four at a time: one walk over parameters, means and gradients, which is all that
 * a step reads and writes. Square root and division are exact to the last bit, and hide behind the memory's time.
 */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { f32x4 } from '../wasm/expression.js';
import { definePairMap, onPairs, type PairMapExport } from '../wasm/flat.js';
import { placeInput, returnOutput } from '../wasm/operands.js';
import { inParts, storeLanes, walkRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { AdamW, MovingAverage } from './reference.js';

const UNROLL = 4;

/** Numbers of a step, as far as they are the same for all parameters. */
const STEP = {
  keep: 'f32',
  speed: 'f32',
  share1: 'f32',
  share2: 'f32',
  unbias2: 'f32',
  epsilon: 'f32',
  gradientFactor: 'f32',
} as const;
const PLACES = { w: 'i32', m: 'i32', v: 'i32', g: 'i32' } as const;

export function defineOptimizer(module: ModuleBuilder, { madd, nmadd }: Arithmetic): void {
  const part = module.function(
    'adamwPart',
    { n: 'i32', ...STEP, ...PLACES },
    (f, { n, w, m, v, g, ...step }) => {
      const [keep, speed, share1, share2, unbias2, epsilon, factor] = [
        step.keep,
        step.speed,
        step.share1,
        step.share2,
        step.unbias2,
        step.epsilon,
        step.gradientFactor,
      ].map((number) => f.local(f32x4.splat(number)));
      const [gradient, mean, square, moved] = [0, 1, 2, 3].map(() => f.declare('v128'));
      const four = () => {
        f.set(gradient, f32x4.mul(f32x4.load(g), factor));
        f.set(mean, f32x4.load(m));
        f.set(mean, madd(f32x4.sub(gradient, mean), share1, mean));
        f.set(square, f32x4.load(v));
        f.set(square, madd(f32x4.sub(f32x4.mul(gradient, gradient), square), share2, square));
        const deviation = f32x4.add(f32x4.sqrt(f32x4.mul(square, unbias2)), epsilon);
        f.set(moved, nmadd(f32x4.div(mean, deviation), speed, f32x4.mul(f32x4.load(w), keep)));
      };
      const places = [
        [w, moved],
        [m, mean],
        [v, square],
      ] as const;
      walkRow(
        f,
        n,
        [w, m, v, g],
        1,
        () => {
          four();
          for (const [pointer, value] of places) f.store(pointer, value);
        },
        (count) => {
          four();
          for (const [pointer, value] of places) storeLanes(f, pointer, value, count);
        },
      );
    },
    false,
  );
  module.function('adamw', { n: 'i32', ...STEP, ...PLACES }, (f, { n, w, m, v, g, ...step }) => {
    inParts(f, n, [w, m, v, g], (count) => f.call(part, count, ...Object.values(step), w, m, v, g));
  });
  definePairMap(module, 'movingAverage', UNROLL, (_, x, y, share) => madd(f32x4.sub(x, y), share, y));
}

export interface OptimizerExports {
  adamw(
    n: number,
    keep: number,
    speed: number,
    share1: number,
    share2: number,
    unbias2: number,
    epsilon: number,
    gradientFactor: number,
    w: number,
    m: number,
    v: number,
    g: number,
  ): void;
  readonly movingAverage: PairMapExport;
}

export const adamwSimd: SimdKernel<AdamW, OptimizerExports> = {
  name: 'adamw',
  summary: 'four parameters at a time, one walk over all that a step touches',
  define: defineOptimizer,
  bind: (exports, memory) => (n, step, w, wOffset, m, mOffset, v, vOffset, g, gOffset) => {
    const { rate, beta1, beta2, epsilon, decay, unbias1, unbias2, gradientFactor } = step;
    const mark = memory.mark();
    try {
      const place = (data: Float32Array, offset: number) => placeInput(memory, data, offset, 1, n, n);
      const [parameters, mean, square, gradient] = [
        place(w, wOffset),
        place(m, mOffset),
        place(v, vOffset),
        place(g, gOffset),
      ];
      exports.adamw(
        n,
        1 - rate * decay,
        rate * unbias1,
        1 - beta1,
        1 - beta2,
        unbias2,
        epsilon,
        gradientFactor,
        parameters.pointer,
        mean.pointer,
        square.pointer,
        gradient.pointer,
      );
      returnOutput(memory, parameters, w, wOffset, 1, n, n);
      returnOutput(memory, mean, m, mOffset, 1, n, n);
      returnOutput(memory, square, v, vOffset, 1, n, n);
    } finally {
      memory.pop(mark);
    }
  },
};

export const movingAverageSimd: SimdKernel<MovingAverage, OptimizerExports> = {
  name: 'moving-average',
  summary: 'four numbers at a time',
  define: defineOptimizer,
  bind: (exports, memory) => {
    const run = onPairs(memory, exports.movingAverage);
    return (n, share, x, xOffset, y, yOffset) => run(n, share, x, xOffset, y, yOffset, y, yOffset);
  },
};
