/**
 * The gradient of an average pooling with WebAssembly SIMD: a row of dY to one row of its windows at a time, four channels
 * per vector. Windows that do not overlap are written rather than added to.
 */
import type { FunctionReference, ModuleBuilder } from '../../wasm/assembler.js';
import { f32x4, i32, type V128 } from '../../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../../wasm/operands.js';
import { storeLanes, VECTOR, walkRow } from '../../wasm/rows.js';
import type { SimdKernel } from '../../wasm/runtime.js';
import { pool2dOutputSize } from '../reference.js';
import type { AveragePool2dBackward } from './reference.js';

const ROW_PARAMETERS = {
  windows: 'i32',
  channels: 'i32',
  windowWidth: 'i32',
  factor: 'f32',
  dy: 'i32',
  pixelBytes: 'i32',
  strideBytes: 'i32',
  dx: 'i32',
} as const;

/** Adds `name`: one row of dX from a row of dY. */
function defineRow(module: ModuleBuilder, name: string, adds: boolean): FunctionReference {
  return module.function(
    name,
    ROW_PARAMETERS,
    (f, { windows, channels, windowWidth, factor, dy, pixelBytes, strideBytes, dx }) => {
      const share = f.local(f32x4.splat(factor));
      const [left, from, to, pixel] = [
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
      ];
      const value = (bytes: number): V128 => {
        const own = f32x4.mul(f32x4.load(from, bytes), share);
        return adds ? f32x4.add(f32x4.load(to, bytes), own) : own;
      };
      f.while(i32.gtS(windows, i32.const(0)), () => {
        f.set(pixel, dx);
        f.set(left, windowWidth);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.set(from, dy);
          f.set(to, pixel);
          walkRow(
            f,
            channels,
            [from, to],
            2,
            (bytes) => f.store(to, value(bytes), bytes),
            (count) => storeLanes(f, to, f.local(value(0)), count),
          );
          f.increase(pixel, pixelBytes);
          f.increase(left, -1);
        });
        f.increase(dy, pixelBytes);
        f.increase(dx, strideBytes);
        f.increase(windows, -1);
      });
    },
    false,
  );
}

export function defineAveragePool2dBackward(module: ModuleBuilder): void {
  const [write, add] = [
    defineRow(module, 'averageShare', false),
    defineRow(module, 'averageShareAdded', true),
  ];
  module.function(
    'averagePool2dBackward',
    {
      rows: 'i32',
      windowHeight: 'i32',
      rowStrideBytes: 'i32',
      xRowBytes: 'i32',
      adds: 'i32',
      ...ROW_PARAMETERS,
    },
    (f, { rows, windowHeight, rowStrideBytes, xRowBytes, adds, ...row }) => {
      const [left, to] = [f.declare('i32'), f.declare('i32')];
      const operands = Object.values({ ...row, dx: to });
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.set(to, row.dx);
        f.set(left, windowHeight);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.if(
            adds,
            () => f.call(add, ...operands),
            () => f.call(write, ...operands),
          );
          f.increase(to, xRowBytes);
          f.increase(left, -1);
        });
        f.increase(row.dx, rowStrideBytes);
        f.increase(row.dy, i32.mul(row.windows, row.pixelBytes));
        f.increase(rows, -1);
      });
    },
  );
  module.function('averagePoolClear', { bytes: 'i32', dx: 'i32' }, (f, { bytes, dx }) => {
    f.while(i32.geS(bytes, i32.const(VECTOR)), () => {
      f.store(dx, f32x4.constSplat(0));
      f.increase(dx, VECTOR);
      f.increase(bytes, -VECTOR);
    });
    f.while(i32.gtS(bytes, i32.const(0)), () => {
      f.store(dx, i32.const(0));
      f.increase(dx, 4);
      f.increase(bytes, -4);
    });
  });
}

export interface AveragePool2dBackwardExports {
  averagePool2dBackward(
    rows: number,
    windowHeight: number,
    rowStrideBytes: number,
    xRowBytes: number,
    adds: number,
    windows: number,
    channels: number,
    windowWidth: number,
    factor: number,
    dy: number,
    pixelBytes: number,
    strideBytes: number,
    dx: number,
  ): void;
  averagePoolClear(bytes: number, dx: number): void;
}

export const averagePool2dBackwardSimd: SimdKernel<AveragePool2dBackward, AveragePool2dBackwardExports> = {
  name: 'average-pool2d-backward',
  summary: 'a row of each window at a time, four channels per vector; written where windows do not overlap',
  define: defineAveragePool2dBackward,
  bind: (exports, memory) => (g, dy, dyOffset, dx, dxOffset) => {
    const out = pool2dOutputSize(g);
    const [inFloats, outFloats] = [g.height * g.width * g.channels, out.height * out.width * g.channels];
    const pixelBytes = 4 * g.channels;
    const rowBytes = g.width * pixelBytes;
    const overlap = g.strideHeight < g.windowHeight || g.strideWidth < g.windowWidth;
    // Whole rows of windows leave no pixel out but in rows below the last.
    const isWhole =
      g.strideHeight === g.windowHeight &&
      g.strideWidth === g.windowWidth &&
      g.width === out.width * g.strideWidth;
    const mark = memory.mark();
    try {
      const from = placeInput(memory, dy, dyOffset, 1, outFloats, outFloats);
      const to = placeOutput(memory, dx, dxOffset, 1, inFloats, inFloats);
      const written = isWhole ? out.height * g.strideHeight * rowBytes : 0;
      exports.averagePoolClear(4 * inFloats - written, to.pointer + written);
      exports.averagePool2dBackward(
        out.height,
        g.windowHeight,
        g.strideHeight * rowBytes,
        rowBytes,
        overlap ? 1 : 0,
        out.width,
        g.channels,
        g.windowWidth,
        1 / (g.windowHeight * g.windowWidth),
        from.pointer,
        pixelBytes,
        g.strideWidth * pixelBytes,
        to.pointer,
      );
      returnOutput(memory, to, dx, dxOffset, 1, inFloats, inFloats);
    } finally {
      memory.pop(mark);
    }
  },
};
