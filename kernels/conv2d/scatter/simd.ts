/**
 * Windows put back with WebAssembly SIMD: a row of outputs and a row of the filter at a time, four channels per vector.
 * Which column of the image a tap sees is looked up in a table, so no loop asks whether it is inside.
 */
import type { ModuleBuilder } from '../../wasm/assembler.js';
import { f32x4, i32 } from '../../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../../wasm/operands.js';
import { storeLanes, VECTOR, walkRow } from '../../wasm/rows.js';
import type { SimdKernel } from '../../wasm/runtime.js';
import { conv2dOutputSize } from '../reference.js';
import { type Conv2dScatter, seenIndex } from './reference.js';

export function defineConv2dScatter(module: ModuleBuilder): void {
  // to [count] += from [count]
  const add = module.function(
    'scatterAdd',
    { count: 'i32', from: 'i32', to: 'i32' },
    (f, { count, from, to }) =>
      walkRow(
        f,
        count,
        [from, to],
        2,
        (bytes) => f.store(to, f32x4.add(f32x4.load(to, bytes), f32x4.load(from, bytes)), bytes),
        (left) => storeLanes(f, to, f.local(f32x4.add(f32x4.load(to), f32x4.load(from))), left),
      ),
    false,
  );
  module.function(
    'conv2dScatterRow',
    {
      outputs: 'i32',
      taps: 'i32',
      channels: 'i32',
      v: 'i32',
      windowBytes: 'i32',
      table: 'i32',
      x: 'i32',
    },
    (f, { outputs, taps, channels, v, windowBytes, table, x }) => {
      const [left, from, place] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(outputs, i32.const(0)), () => {
        f.set(from, v);
        f.set(left, taps);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.set(place, i32.load(table));
          f.if(i32.geS(place, i32.const(0)), () => f.call(add, channels, from, i32.add(x, place)));
          f.increase(from, i32.shl(channels, i32.const(2)));
          f.increase(table, 4);
          f.increase(left, -1);
        });
        f.increase(v, windowBytes);
        f.increase(outputs, -1);
      });
    },
  );
  module.function('conv2dScatterClear', { bytes: 'i32', x: 'i32' }, (f, { bytes, x }) => {
    f.while(i32.geS(bytes, i32.const(VECTOR)), () => {
      f.store(x, f32x4.constSplat(0));
      f.increase(x, VECTOR);
      f.increase(bytes, -VECTOR);
    });
    f.while(i32.gtS(bytes, i32.const(0)), () => {
      f.store(x, i32.const(0));
      f.increase(x, 4);
      f.increase(bytes, -4);
    });
  });
}

export interface Conv2dScatterExports {
  /** Row `x` of the image += one row of each window; `table` has the byte of each tap of each output, or -1. */
  conv2dScatterRow(
    outputs: number,
    taps: number,
    channels: number,
    v: number,
    windowBytes: number,
    table: number,
    x: number,
  ): void;
  conv2dScatterClear(bytes: number, x: number): void;
}

export const conv2dScatterSimd: SimdKernel<Conv2dScatter, Conv2dScatterExports> = {
  name: 'conv2d-scatter',
  summary: 'a row of each window at a time, four channels per vector, columns by table',
  define: defineConv2dScatter,
  bind: (exports, memory) => (g, v, vOffset, x, xOffset) => {
    const { height, width, inChannels, kernelHeight, kernelWidth, padMode } = g;
    const out = conv2dOutputSize(g);
    const window = kernelHeight * kernelWidth * inChannels;
    const [inFloats, vFloats] = [height * width * inChannels, out.height * out.width * window];
    const mark = memory.mark();
    try {
      const from = placeInput(memory, v, vOffset, 1, vFloats, vFloats).pointer;
      const to = placeOutput(memory, x, xOffset, 1, inFloats, inFloats);
      const table = memory.push(4 * out.width * kernelWidth);
      const places = new Int32Array(memory.buffer, table, out.width * kernelWidth);
      for (let i = 0; i < places.length; i++) {
        const column = Math.floor(i / kernelWidth) * g.strideWidth + (i % kernelWidth) - g.padWidth;
        const seen = seenIndex(column, width, padMode);
        places[i] = seen < 0 ? -1 : 4 * seen * inChannels;
      }
      exports.conv2dScatterClear(4 * inFloats, to.pointer);
      for (let oy = 0; oy < out.height; oy++) {
        for (let r = 0; r < kernelHeight; r++) {
          const iy = seenIndex(oy * g.strideHeight + r - g.padHeight, height, padMode);
          if (iy < 0) continue;
          exports.conv2dScatterRow(
            out.width,
            kernelWidth,
            inChannels,
            from + 4 * (oy * out.width * window + r * kernelWidth * inChannels),
            4 * window,
            table,
            to.pointer + 4 * iy * width * inChannels,
          );
        }
      }
      returnOutput(memory, to, x, xOffset, 1, inFloats, inFloats);
    } finally {
      memory.pop(mark);
    }
  },
};
