/**
 * Rotary positions with WebAssembly SIMD: two pairs per vector. With the table's signs a turn is two products, of X and of
 * X with each two neighbours exchanged:
 *
 *   Y = X · cosines + exchanged(X) · sines
 */
import type { ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32 } from '../wasm/expression.js';
import { placeInput, placeOutput, returnOutput } from '../wasm/operands.js';
import { mapRow } from '../wasm/rows.js';
import type { Arithmetic, SimdKernel } from '../wasm/runtime.js';
import type { RotaryPositions } from './reference.js';

export function defineRotaryPositions(module: ModuleBuilder, { madd }: Arithmetic): void {
  const frame = module.function(
    'rotaryFrame',
    {
      heads: 'i32',
      headSize: 'i32',
      x: 'i32',
      xHeadBytes: 'i32',
      cosines: 'i32',
      y: 'i32',
      yHeadBytes: 'i32',
    },
    (f, { heads, headSize, x, xHeadBytes, cosines, y, yHeadBytes }) => {
      const sines = f.local(i32.add(cosines, i32.shl(headSize, i32.const(2))));
      f.while(i32.gtS(heads, i32.const(0)), () => {
        mapRow(f, headSize, [x, cosines, sines], y, (value, cosine, sine) =>
          madd(f32x4.shuffle(value, value, [1, 0, 3, 2]), sine, f32x4.mul(value, cosine)),
        );
        f.increase(x, xHeadBytes);
        f.increase(y, yHeadBytes);
        f.increase(heads, -1);
      });
    },
    false,
  );
  module.function(
    'rotaryPositions',
    {
      frames: 'i32',
      heads: 'i32',
      headSize: 'i32',
      x: 'i32',
      xRowBytes: 'i32',
      xHeadBytes: 'i32',
      table: 'i32',
      tableRowBytes: 'i32',
      y: 'i32',
      yRowBytes: 'i32',
      yHeadBytes: 'i32',
    },
    (f, p) => {
      f.while(i32.gtS(p.frames, i32.const(0)), () => {
        f.call(frame, p.heads, p.headSize, p.x, p.xHeadBytes, p.table, p.y, p.yHeadBytes);
        f.increase(p.x, p.xRowBytes);
        f.increase(p.table, p.tableRowBytes);
        f.increase(p.y, p.yRowBytes);
        f.increase(p.frames, -1);
      });
    },
  );
}

export interface RotaryPositionsExports {
  rotaryPositions(
    frames: number,
    heads: number,
    headSize: number,
    x: number,
    xRowBytes: number,
    xHeadBytes: number,
    table: number,
    tableRowBytes: number,
    y: number,
    yRowBytes: number,
    yHeadBytes: number,
  ): void;
}

export const rotaryPositionsSimd: SimdKernel<RotaryPositions, RotaryPositionsExports> = {
  name: 'rotary-positions',
  summary: 'two pairs per vector, neighbours exchanged by a shuffle',
  define: defineRotaryPositions,
  bind:
    (exports, memory) =>
    (
      { frames, heads, headSize },
      x,
      xOffset,
      xRowStride,
      xHeadStride,
      table,
      tableOffset,
      tableRowStride,
      y,
      yOffset,
      yRowStride,
      yHeadStride,
    ) => {
      const mark = memory.mark();
      try {
        const across = (heads - 1) * xHeadStride + headSize;
        const from = placeInput(memory, x, xOffset, frames, across, xRowStride);
        const angles = placeInput(memory, table, tableOffset, frames, 2 * headSize, tableRowStride);
        // What comes back from elsewhere has no gaps between its heads, so each head goes back by itself.
        const width = heads * headSize;
        const isHere = memory.holds(y);
        const to = placeOutput(memory, y, yOffset, frames, width, yRowStride);
        exports.rotaryPositions(
          frames,
          heads,
          headSize,
          from.pointer,
          from.rowBytes,
          4 * xHeadStride,
          angles.pointer,
          angles.rowBytes,
          to.pointer,
          to.rowBytes,
          4 * (isHere ? yHeadStride : headSize),
        );
        if (!isHere && yHeadStride === headSize) {
          returnOutput(memory, to, y, yOffset, frames, width, yRowStride);
        } else if (!isHere) {
          for (let t = 0; t < frames; t++) {
            const row = to.pointer + t * to.rowBytes;
            memory.copyOut(row, y, yOffset + t * yRowStride, heads, headSize, yHeadStride);
          }
        }
      } finally {
        memory.pop(mark);
      }
    },
};
