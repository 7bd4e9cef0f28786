/**
 * Batch normalisation with WebAssembly SIMD. Each channel's scale, weight / √(variance + ε), is made once; then rows
 * go by in fours, so that mean, scale and bias are loaded once for four rows:
 *
 *   y = (x - mean) · scale + bias
 *
 * The mean is taken off first: a shift bias - mean · scale would save the subtraction and lose digits where the
 * mean is large. It costs nothing, because the kernel waits for memory.
 */
import type { FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { storeLanes, walkRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { BatchNorm } from './reference.js';

/** Rows that share the loads of a channel's statistics. */
const ROWS = 4;

const STATISTICS = { channels: 'i32', mean: 'i32', scale: 'i32', bias: 'i32' } as const;
const PLACES = { x: 'i32', xRowBytes: 'i32', y: 'i32', yRowBytes: 'i32' } as const;

/** Adds `batchNormScale`: scale [channels], with up to three numbers more, from weight and variance. */
function defineScale(module: ModuleBuilder): void {
  module.function(
    'batchNormScale',
    { channels: 'i32', epsilon: 'f32', weight: 'i32', variance: 'i32', scale: 'i32' },
    (f, { channels, epsilon, weight, variance, scale }) => {
      f.while(i32.gtS(channels, i32.const(0)), () => {
        const deviation = f32x4.sqrt(f32x4.add(f32x4.load(variance), f32x4.splat(epsilon)));
        f.store(scale, f32x4.div(f32x4.load(weight), deviation));
        for (const pointer of [weight, variance, scale]) f.increase(pointer, 16);
        f.increase(channels, -4);
      });
    },
  );
}

/** Adds `batchNormRows<rows>`: that many rows. */
function defineRows(module: ModuleBuilder, { madd }: Arithmetic, rows: number): FunctionReference {
  return module.function(
    `batchNormRows${rows}`,
    { ...STATISTICS, ...PLACES },
    (f, { channels, mean, scale, bias, x, xRowBytes, y, yRowBytes }) => {
      const below = (first: Local<'i32'>, rowBytes: Local<'i32'>) =>
        Array.from({ length: rows }, (_, r) =>
          r === 0 ? first : f.local(i32.add(first, i32.mul(rowBytes, i32.const(r)))),
        );
      const [from, to] = [below(x, xRowBytes), below(y, yRowBytes)];
      const [m, s, b] = [f.declare('v128'), f.declare('v128'), f.declare('v128')];
      const value = f.declare('v128');
      const eachRow = (store: (row: Local<'i32'>) => void) => {
        f.set(m, f32x4.load(mean));
        f.set(s, f32x4.load(scale));
        f.set(b, f32x4.load(bias));
        from.forEach((row, r) => {
          f.set(value, madd(f32x4.sub(f32x4.load(row), m), s, b));
          store(to[r]!);
        });
      };
      walkRow(
        f,
        channels,
        [mean, scale, bias, ...from, ...to],
        1,
        () => eachRow((row) => f.store(row, value)),
        (count) => eachRow((row) => storeLanes(f, row, value, count)),
      );
    },
    false,
  );
}

export function defineBatchNorm(module: ModuleBuilder, arithmetic: Arithmetic): void {
  defineScale(module);
  const tiles = [ROWS, 1].map((rows) => ({ rows, run: defineRows(module, arithmetic, rows) }));
  module.function(
    'batchNorm',
    { rows: 'i32', ...STATISTICS, ...PLACES },
    (f, { rows: left, channels, mean, scale, bias, x, xRowBytes, y, yRowBytes }) => {
      for (const { rows, run } of tiles) {
        f.while(i32.geS(left, i32.const(rows)), () => {
          f.call(run, channels, mean, scale, bias, x, xRowBytes, y, yRowBytes);
          f.increase(x, i32.mul(xRowBytes, i32.const(rows)));
          f.increase(y, i32.mul(yRowBytes, i32.const(rows)));
          f.increase(left, -rows);
        });
      }
    },
  );
}

export interface BatchNormExports {
  batchNormScale(channels: number, epsilon: number, weight: number, variance: number, scale: number): void;
  batchNorm(
    rows: number,
    channels: number,
    mean: number,
    scale: number,
    bias: number,
    x: number,
    xRowBytes: number,
    y: number,
    yRowBytes: number,
  ): void;
}

export const batchNormSimd: SimdKernel<BatchNorm, BatchNormExports> = {
  name: 'batch-norm',
  summary: 'four rows share each load of the statistics',
  define: defineBatchNorm,
  bind:
    (exports, memory) =>
    (
      rows,
      channels,
      epsilon,
      x,
      xOffset,
      xRowStride,
      mean,
      meanOffset,
      variance,
      varianceOffset,
      weight,
      weightOffset,
      bias,
      biasOffset,
      y,
      yOffset,
      yRowStride,
    ) => {
      const mark = memory.mark();
      try {
        const ofChannels = (data: Float32Array, offset: number) =>
          placeInput(memory, data, offset, 1, channels, channels).pointer;
        const from = placeInput(memory, x, xOffset, rows, channels, xRowStride);
        const to = placeOutput(memory, y, yOffset, rows, channels, yRowStride);
        const scale = memory.push(4 * (channels + 3));
        exports.batchNormScale(
          channels,
          epsilon,
          ofChannels(weight, weightOffset),
          ofChannels(variance, varianceOffset),
          scale,
        );
        exports.batchNorm(
          rows,
          channels,
          ofChannels(mean, meanOffset),
          scale,
          ofChannels(bias, biasOffset),
          from.pointer,
          from.rowBytes,
          to.pointer,
          to.rowBytes,
        );
        returnOutput(memory, to, y, yOffset, rows, channels, yRowStride);
      } finally {
        memory.pop(mark);
      }
    },
};
