/**
 * Gradients of batch normalisation with WebAssembly SIMD: one walk down X and dY for the sums of the channels, eight rows
 * at a time (wasm/columns.ts); three numbers for each channel from them, in place of a formula for each element,
 *
 *   dx = dy · factor - (x - mean) · slope - middle
 *
 * and one walk for dx, eight rows at a time, which share the loads of those numbers.
 */
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { defineColumnTotals, defineStoreTotals, totalBytes } from '../wasm/columns.js';
import { f32x4, i32 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { storeLanes, walkRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { BatchNormBackward } from './reference.js';

/** Rows that share the loads of a channel's numbers. */
const ROWS = 8;

const CHANNELS = { channels: 'i32', mean: 'i32', factor: 'i32', slope: 'i32', middle: 'i32' } as const;
const PLACES = {
  x: 'i32',
  xRowBytes: 'i32',
  dy: 'i32',
  dyRowBytes: 'i32',
  dx: 'i32',
  dxRowBytes: 'i32',
} as const;

/** Adds `batchNormInverse`: scale = 1 / √(variance + ε), with up to three numbers more. */
function defineInverse(module: ModuleBuilder): FunctionReference {
  return module.function(
    'batchNormInverse',
    { channels: 'i32', epsilon: 'f32', variance: 'i32', scale: 'i32' },
    (f, { channels, epsilon, variance, scale }) => {
      f.while(i32.gtS(channels, i32.const(0)), () => {
        const deviation = f32x4.sqrt(f32x4.add(f32x4.load(variance), f32x4.splat(epsilon)));
        f.store(scale, f32x4.div(f32x4.constSplat(1), deviation));
        for (const pointer of [variance, scale]) f.increase(pointer, 16);
        f.increase(channels, -4);
      });
    },
    false,
  );
}

/** Adds `batchNormNumbers`: factor, slope and middle of each channel, with up to three numbers more. */
function defineNumbers(module: ModuleBuilder): FunctionReference {
  return module.function(
    'batchNormNumbers',
    {
      channels: 'i32',
      share: 'f32',
      weight: 'i32',
      scale: 'i32',
      dweight: 'i32',
      dbias: 'i32',
      factor: 'i32',
      slope: 'i32',
      middle: 'i32',
    },
    (f, { channels, share, weight, scale, dweight, dbias, factor, slope, middle }) => {
      const shares = f.local(f32x4.splat(share));
      f.while(i32.gtS(channels, i32.const(0)), () => {
        const s = f.local(f32x4.load(scale));
        const each = f.local(f32x4.mul(f32x4.load(weight), s));
        const part = f.local(f32x4.mul(each, shares));
        f.store(factor, each);
        f.store(slope, f32x4.mul(f32x4.mul(part, s), f32x4.load(dweight)));
        f.store(middle, f32x4.mul(part, f32x4.load(dbias)));
        for (const pointer of [weight, scale, dweight, dbias, factor, slope, middle]) f.increase(pointer, 16);
        f.increase(channels, -4);
      });
    },
    false,
  );
}

/** Adds `batchNormBackwardRows<rows>`: dx of that many rows. */
function defineRows(module: ModuleBuilder, { nmadd }: Arithmetic, rows: number): FunctionReference {
  return module.function(
    `batchNormBackwardRows${rows}`,
    { ...CHANNELS, ...PLACES },
    (f, { channels, mean, factor, slope, middle, x, xRowBytes, dy, dyRowBytes, dx, dxRowBytes }) => {
      const ofChannels = [mean, factor, slope, middle];
      const numbers = ofChannels.map(() => f.declare('v128'));
      const [m, a, s, b] = numbers;
      const value = f.declare('v128');
      // One pointer each that goes down the rows: one for each row would be more than there are registers.
      const [from, given, to] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
      const eachRow = (store: () => void) => {
        ofChannels.forEach((pointer, i) => {
          f.set(numbers[i], f32x4.load(pointer));
        });
        for (let r = 0; r < rows; r++) {
          f.set(from, r === 0 ? x : i32.add(from, xRowBytes));
          f.set(given, r === 0 ? dy : i32.add(given, dyRowBytes));
          f.set(to, r === 0 ? dx : i32.add(to, dxRowBytes));
          const centred = f32x4.sub(f32x4.load(from), m);
          f.set(value, f32x4.sub(nmadd(centred, s, f32x4.mul(f32x4.load(given), a)), b));
          store();
        }
      };
      walkRow(
        f,
        channels,
        [...ofChannels, x, dy, dx],
        1,
        () => eachRow(() => f.store(to, value)),
        (count) => eachRow(() => storeLanes(f, to, value, count)),
      );
    },
    false,
  );
}

export function defineBatchNormBackward(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const inverse = defineInverse(module);
  const totals = defineColumnTotals(module, 'batchNormBackwardTotals', {
    matrices: 2,
    vectors: 2,
    totals: 2,
    terms: ([x, dy], [mean, scale]) => [f32x4.mul(dy, f32x4.mul(f32x4.sub(x, mean), scale)), dy],
  });
  const store = defineStoreTotals(module);
  const numbers = defineNumbers(module);
  const tiles = [ROWS, 1].map((rows) => ({ rows, run: defineRows(module, arithmetic, rows) }));
  module.function(
    'batchNormBackward',
    {
      rows: 'i32',
      epsilon: 'f32',
      share: 'f32',
      ...CHANNELS,
      ...PLACES,
      variance: 'i32',
      weight: 'i32',
      dweight: 'i32',
      dbias: 'i32',
      scale: 'i32',
      weightTotal: 'i32',
      biasTotal: 'i32',
    },
    (f, p) => {
      const { channels, mean, factor, slope, middle, dweight, dbias, scale, weightTotal, biasTotal } = p;
      const { x, xRowBytes, dy, dyRowBytes, dx, dxRowBytes } = p;
      f.call(inverse, channels, p.epsilon, p.variance, scale);
      f.call(
        totals,
        ...[p.rows, channels, x, xRowBytes, dy, dyRowBytes, mean, scale, weightTotal, biasTotal],
      );
      f.call(store, channels, i32.const(0), weightTotal, dweight);
      f.call(store, channels, i32.const(0), biasTotal, dbias);
      f.call(numbers, channels, p.share, p.weight, scale, dweight, dbias, factor, slope, middle);
      for (const { rows, run } of tiles) {
        f.while(i32.geS(p.rows, i32.const(rows)), () => {
          f.call(
            run,
            ...[channels, mean, factor, slope, middle, x, xRowBytes, dy, dyRowBytes, dx, dxRowBytes],
          );
          f.increase(x, i32.mul(xRowBytes, i32.const(rows)));
          f.increase(dy, i32.mul(dyRowBytes, i32.const(rows)));
          f.increase(dx, i32.mul(dxRowBytes, i32.const(rows)));
          f.increase(p.rows, -rows);
        });
      }
    },
  );
}

export interface BatchNormBackwardExports {
  batchNormBackward(
    rows: number,
    epsilon: number,
    share: number,
    channels: number,
    mean: number,
    factor: number,
    slope: number,
    middle: number,
    x: number,
    xRowBytes: number,
    dy: number,
    dyRowBytes: number,
    dx: number,
    dxRowBytes: number,
    variance: number,
    weight: number,
    dweight: number,
    dbias: number,
    scale: number,
    weightTotal: number,
    biasTotal: number,
  ): void;
}

export const batchNormBackwardSimd: SimdKernel<BatchNormBackward, BatchNormBackwardExports> = {
  name: 'batch-norm-backward',
  summary: 'sums of eight rows with float64 totals, then eight rows share each load of a channel’s numbers',
  define: defineBatchNormBackward,
  bind:
    (exports, memory) =>
    (
      rows,
      channels,
      epsilon,
      ofBatch,
      x,
      xOffset,
      xRowStride,
      mean,
      meanOffset,
      variance,
      varianceOffset,
      weight,
      weightOffset,
      dy,
      dyOffset,
      dyRowStride,
      dx,
      dxOffset,
      dxRowStride,
      dweight,
      dweightOffset,
      dbias,
      dbiasOffset,
    ) => {
      const mark = memory.mark();
      try {
        const ofChannels = (data: Float32Array, offset: number) =>
          placeInput(memory, data, offset, 1, channels, channels).pointer;
        const numbers = () => memory.push(4 * (channels + 3));
        const from = placeInput(memory, x, xOffset, rows, channels, xRowStride);
        const given = placeInput(memory, dy, dyOffset, rows, channels, dyRowStride);
        const to = placeOutput(memory, dx, dxOffset, rows, channels, dxRowStride);
        const toWeight = placeOutput(memory, dweight, dweightOffset, 1, channels, channels);
        const toBias = placeOutput(memory, dbias, dbiasOffset, 1, channels, channels);
        exports.batchNormBackward(
          rows,
          epsilon,
          ofBatch ? 1 / rows : 0,
          channels,
          ofChannels(mean, meanOffset),
          numbers(),
          numbers(),
          numbers(),
          from.pointer,
          from.rowBytes,
          given.pointer,
          given.rowBytes,
          to.pointer,
          to.rowBytes,
          ofChannels(variance, varianceOffset),
          ofChannels(weight, weightOffset),
          toWeight.pointer,
          toBias.pointer,
          numbers(),
          memory.push(totalBytes(channels)),
          memory.push(totalBytes(channels)),
        );
        returnOutput(memory, to, dx, dxOffset, rows, channels, dxRowStride);
        returnOutput(memory, toWeight, dweight, dweightOffset, 1, channels, channels);
        returnOutput(memory, toBias, dbias, dbiasOffset, 1, channels, channels);
      } finally {
        memory.pop(mark);
      }
    },
};
