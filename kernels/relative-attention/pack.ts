/**
 * Packing for the products of attention: panels of 8 columns, as kernels/matmul/tile.ts reads them. Keys and
 * positions are rows of which the product wants the transpose; four rows by four columns are turned in registers.
 */

import { PANEL } from '../matmul/tile.js';
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, i32, type V128 } from '../wasm/expression.js';
import { transposed } from '../wasm/transpose.js';

const PANEL_BYTES = 4 * PANEL;

/**
 * Adds `packTransposed`: rows X [rows, width] to panels [ceil(rows / 8)][width][8] of Xᵀ. A last panel that is not
 * full repeats the last row.
 */
export function definePackTransposed(module: ModuleBuilder): FunctionReference {
  return module.function(
    'packTransposed',
    { rows: 'i32', width: 'i32', x: 'i32', rowBytes: 'i32', to: 'i32' },
    (f, { rows, width, x, rowBytes, to }) => {
      const row = Array.from({ length: PANEL }, () => f.declare('i32'));
      const left = f.declare('i32');
      /** Four columns of the eight rows; `store` gets what goes to step d of the panel, half by half. */
      const turn = (store: (d: number, half: number, value: V128) => void) => {
        for (const half of [0, 1]) {
          transposed(f, row.slice(4 * half, 4 * half + 4)).forEach((value, d) => {
            store(d, half, value);
          });
        }
      };
      f.while(i32.gtS(rows, i32.const(0)), () => {
        row.forEach((pointer, r) => {
          const before = r === 0 ? x : row[r - 1]!;
          const below = r === 0 ? x : i32.add(before, rowBytes);
          f.set(pointer, i32.select(below, before, i32.gtS(rows, i32.const(r))));
        });
        f.set(left, width);
        f.while(i32.geS(left, i32.const(4)), () => {
          turn((d, half, value) => f.store(to, value, PANEL_BYTES * d + 16 * half));
          for (const pointer of row) f.increase(pointer, 16);
          f.increase(to, 4 * PANEL_BYTES);
          f.increase(left, -4);
        });
        f.if(left, () => {
          turn((d, half, value) => {
            f.if(i32.gtS(left, i32.const(d)), () => f.store(to, value, PANEL_BYTES * d + 16 * half));
          });
          f.increase(to, i32.mul(left, i32.const(PANEL_BYTES)));
        });
        f.increase(x, i32.mul(rowBytes, i32.const(PANEL)));
        f.increase(rows, -PANEL);
      });
    },
    false,
  );
}

/**
 * Adds `packColumns`: X [rows, width] to panels [ceil(width / 8)][rows][8]. What stands in the columns that the last
 * panel has too many is what follows in memory; nobody reads the results.
 */
export function definePackColumns(module: ModuleBuilder): FunctionReference {
  return module.function(
    'packColumns',
    { rows: 'i32', width: 'i32', x: 'i32', rowBytes: 'i32', to: 'i32' },
    (f, { rows, width, x, rowBytes, to }) => {
      const [from, r] = [f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(width, i32.const(0)), () => {
        f.set(from, x);
        f.for(r, i32.const(0), rows, 1, () => {
          f.store(to, f32x4.load(from));
          f.store(to, f32x4.load(from, 16), 16);
          f.increase(from, rowBytes);
          f.increase(to, PANEL_BYTES);
        });
        f.increase(x, PANEL_BYTES);
        f.increase(width, -PANEL);
      });
    },
    false,
  );
}
