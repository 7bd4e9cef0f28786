/**
 * Average pooling with WebAssembly SIMD: four channels per vector, a pixel of Y at a time. Windows of 2 x 2 have four
 * pointers that go along the channels together and no loop over the window; any other window is walked for each vector.
 */
import type { FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32, type V128 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { storeLanes, walkRow } from '../wasm/rows.js';
import type { SimdKernel } from '../wasm/runtime.js';
import { type AveragePool2d, pool2dOutputSize } from './reference.js';

/** Vectors per turn where the window is 2 x 2. */
const UNROLL = 2;

const ROW_PARAMETERS = {
  columns: 'i32',
  channels: 'i32',
  windowHeight: 'i32',
  windowWidth: 'i32',
  factor: 'f32',
  x: 'i32',
  xRowBytes: 'i32',
  pixelBytes: 'i32',
  strideBytes: 'i32',
  y: 'i32',
} as const;

/** Adds `averagePoolPairs`: one row of Y [columns, channels] from windows of 2 x 2. */
function definePairs(module: ModuleBuilder): FunctionReference {
  return module.function(
    'averagePoolPairs',
    ROW_PARAMETERS,
    (f, { columns, channels, factor, x, xRowBytes, pixelBytes, strideBytes, y }) => {
      const fourth = f.local(f32x4.splat(factor));
      const corners = Array.from({ length: 4 }, () => f.declare('i32'));
      const [a, b, c, d] = corners as [Local<'i32'>, Local<'i32'>, Local<'i32'>, Local<'i32'>];
      const mean = (bytes: number): V128 => {
        const upper = f32x4.add(f32x4.load(a, bytes), f32x4.load(b, bytes));
        const lower = f32x4.add(f32x4.load(c, bytes), f32x4.load(d, bytes));
        return f32x4.mul(f32x4.add(upper, lower), fourth);
      };
      const to = f.declare('i32');
      f.while(i32.gtS(columns, i32.const(0)), () => {
        f.set(a, x);
        f.set(b, i32.add(x, pixelBytes));
        f.set(c, i32.add(x, xRowBytes));
        f.set(d, i32.add(c, pixelBytes));
        f.set(to, y);
        walkRow(
          f,
          channels,
          [...corners, to],
          UNROLL,
          (bytes) => f.store(to, mean(bytes), bytes),
          (count) => storeLanes(f, to, f.local(mean(0)), count),
        );
        f.increase(x, strideBytes);
        f.increase(y, pixelBytes);
        f.increase(columns, -1);
      });
    },
    false,
  );
}

/** Adds `averagePoolWindows`: the same with windows of any size. */
function defineWindows(module: ModuleBuilder): FunctionReference {
  return module.function(
    'averagePoolWindows',
    ROW_PARAMETERS,
    (
      f,
      { columns, channels, windowHeight, windowWidth, factor, x, xRowBytes, pixelBytes, strideBytes, y },
    ) => {
      const share = f.local(f32x4.splat(factor));
      const [from, to, row, at] = [f.declare('i32'), f.declare('i32'), f.declare('i32'), f.declare('i32')];
      const [r, s] = [f.declare('i32'), f.declare('i32')];
      const sum = f.declare('v128');
      const average = () => {
        f.set(sum, f32x4.constSplat(0));
        f.set(row, from);
        f.for(r, i32.const(0), windowHeight, 1, () => {
          f.set(at, row);
          f.for(s, i32.const(0), windowWidth, 1, () => {
            f.set(sum, f32x4.add(sum, f32x4.load(at)));
            f.increase(at, pixelBytes);
          });
          f.increase(row, xRowBytes);
        });
        f.set(sum, f32x4.mul(sum, share));
      };
      f.while(i32.gtS(columns, i32.const(0)), () => {
        f.set(from, x);
        f.set(to, y);
        walkRow(
          f,
          channels,
          [from, to],
          1,
          () => {
            average();
            f.store(to, sum);
          },
          (count) => {
            average();
            storeLanes(f, to, sum, count);
          },
        );
        f.increase(x, strideBytes);
        f.increase(y, pixelBytes);
        f.increase(columns, -1);
      });
    },
    false,
  );
}

/** Adds `averagePool2d`: all rows of Y, each a call of its own, so that optimised code replaces slow code between them. */
export function defineAveragePool2d(module: ModuleBuilder): void {
  const pairs = definePairs(module);
  const windows = defineWindows(module);
  module.function(
    'averagePool2d',
    { rows: 'i32', rowStrideBytes: 'i32', ...ROW_PARAMETERS },
    (f, { rows, rowStrideBytes, ...row }) => {
      const ofTwo = f.local(
        i32.and(i32.eq(row.windowHeight, i32.const(2)), i32.eq(row.windowWidth, i32.const(2))),
      );
      const operands = Object.values(row);
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.if(
          ofTwo,
          () => f.call(pairs, ...operands),
          () => f.call(windows, ...operands),
        );
        f.increase(row.x, rowStrideBytes);
        f.increase(row.y, i32.mul(row.columns, row.pixelBytes));
        f.increase(rows, -1);
      });
    },
  );
}

export interface AveragePool2dExports {
  averagePool2d(
    rows: number,
    rowStrideBytes: number,
    columns: number,
    channels: number,
    windowHeight: number,
    windowWidth: number,
    factor: number,
    x: number,
    xRowBytes: number,
    pixelBytes: number,
    strideBytes: number,
    y: number,
  ): void;
}

export const averagePool2dSimd: SimdKernel<AveragePool2d, AveragePool2dExports> = {
  name: 'average-pool2d',
  summary: 'four channels per vector; windows of 2 x 2 by four pointers, without a loop',
  define: defineAveragePool2d,
  bind: (exports, memory) => (g, x, xOffset, y, yOffset) => {
    const mark = memory.mark();
    try {
      const out = pool2dOutputSize(g);
      const [inFloats, outFloats] = [g.height * g.width * g.channels, out.height * out.width * g.channels];
      const from = placeInput(memory, x, xOffset, 1, inFloats, inFloats);
      const to = placeOutput(memory, y, yOffset, 1, outFloats, outFloats);
      const pixelBytes = 4 * g.channels;
      const rowBytes = g.width * pixelBytes;
      exports.averagePool2d(
        out.height,
        g.strideHeight * rowBytes,
        out.width,
        g.channels,
        g.windowHeight,
        g.windowWidth,
        1 / (g.windowHeight * g.windowWidth),
        from.pointer,
        rowBytes,
        pixelBytes,
        g.strideWidth * pixelBytes,
        to.pointer,
      );
      returnOutput(memory, to, y, yOffset, 1, outFloats, outFloats);
    } finally {
      memory.pop(mark);
    }
  },
};
