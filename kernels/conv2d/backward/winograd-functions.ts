/** The WebAssembly of the transforms that `winograd.ts` has the formula of. */
import type { ModuleBuilder } from '../../wasm/assembler.js';
import { f32x4, i32, i32x4, type V128, v128 } from '../../wasm/expression.js';
import { INPUT_ROWS } from '../winograd-functions.js';
import { GROUP_BYTES, PANEL_BYTES } from './tile.js';

export interface WinogradGradientExports {
  /**
   * Bᵀ d B of `tiles` tiles, which begin `places[i]` bytes after x, of 4 · groups channels: to v [16][groups][tiles][4],
   * groups `groupBytes` and points `pointBytes` apart.
   */
  gradientInput(
    tiles: number,
    groups: number,
    places: number,
    x: number,
    xRowBytes: number,
    pixelBytes: number,
    v: number,
    groupBytes: number,
    pointBytes: number,
  ): void;
  /**
   * A dY Aᵀ of `tiles` tiles, the first of which is in column `column` of `columns` and begins at dy, with `rows` rows of
   * dY from its own on, of 8 · panels channels: to z [16][panels][tiles][8]. dY is zero outside the image.
   */
  gradientCotangent(
    tiles: number,
    panels: number,
    dy: number,
    column: number,
    columns: number,
    width: number,
    rows: number,
    pixelBytes: number,
    z: number,
    panelBytes: number,
    pointBytes: number,
  ): void;
}

/** A applied to two. */
const COTANGENT_ROWS: readonly ((y: readonly V128[]) => V128)[] = [
  (y) => y[0]!,
  (y) => f32x4.add(y[0]!, y[1]!),
  (y) => f32x4.sub(y[0]!, y[1]!),
  (y) => f32x4.neg(y[1]!),
];

export function defineGradientTransforms(module: ModuleBuilder): void {
  module.function(
    'gradientInput',
    {
      tiles: 'i32',
      groups: 'i32',
      places: 'i32',
      x: 'i32',
      xRowBytes: 'i32',
      pixelBytes: 'i32',
      v: 'i32',
      groupBytes: 'i32',
      pointBytes: 'i32',
    },
    (f, { tiles, groups, places, x, xRowBytes, pixelBytes, v, groupBytes, pointBytes }) => {
      const pixel = Array.from({ length: 4 }, () => f.declare('i32'));
      const half = Array.from({ length: 4 }, () => f.declare('v128'));
      const rows = [0, 1, 2, 3].map((r) => f.local(i32.mul(xRowBytes, i32.const(r))));
      const [at, group, to, left] = [f.declare('i32'), f.declare('i32'), f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(tiles, i32.const(0)), () => {
        f.set(at, i32.add(x, i32.load(places)));
        pixel.forEach((pointer, column) => {
          f.set(pointer, column === 0 ? at : i32.add(pixel[column - 1]!, pixelBytes));
        });
        f.set(group, v);
        f.set(left, groups);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.set(to, group);
          for (const vertical of INPUT_ROWS) {
            // Row i of Bᵀ d, from two rows of d; and that row times B.
            half.forEach((sum, column) => {
              f.set(sum, vertical(rows.map((row) => f32x4.load(i32.add(pixel[column]!, row)))));
            });
            for (const horizontal of INPUT_ROWS) {
              f.store(to, horizontal(half));
              f.increase(to, pointBytes);
            }
          }
          for (const pointer of pixel) f.increase(pointer, GROUP_BYTES);
          f.increase(group, groupBytes);
          f.increase(left, -1);
        });
        f.increase(v, GROUP_BYTES);
        f.increase(places, 4);
        f.increase(tiles, -1);
      });
    },
  );

  module.function(
    'gradientCotangent',
    {
      tiles: 'i32',
      panels: 'i32',
      dy: 'i32',
      column: 'i32',
      columns: 'i32',
      width: 'i32',
      rows: 'i32',
      pixelBytes: 'i32',
      z: 'i32',
      panelBytes: 'i32',
      pointBytes: 'i32',
    },
    (f, { tiles, panels, dy, column, columns, width, rows, pixelBytes, z, panelBytes, pointBytes }) => {
      const rowBytes = f.local(i32.mul(width, pixelBytes));
      // From behind the last tile of a row of tiles to the first of the next.
      const nextRow = f.local(
        i32.sub(i32.shl(rowBytes, i32.const(1)), i32.shl(i32.mul(columns, pixelBytes), i32.const(1))),
      );
      const [right, below, panel, to, left] = [
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
      ];
      const from = [0, 1, 2, 3].map(() => f.declare('i32'));
      // Ones where a pixel is in the image
      const inside = [0, 1, 2, 3].map(() => f.declare('v128'));
      const pixels = [0, 1, 2, 3].map(() => f.declare('v128'));
      const half = [0, 1].map(() => f.declare('v128'));
      f.while(i32.gtS(tiles, i32.const(0)), () => {
        f.set(right, i32.ltS(i32.add(i32.shl(column, i32.const(1)), i32.const(1)), width));
        f.set(below, i32.gtS(rows, i32.const(1)));
        const has = [i32.const(1), right, below, i32.and(right, below)];
        const steps = [i32.const(0), pixelBytes, rowBytes, i32.add(rowBytes, pixelBytes)];
        from.forEach((pointer, i) => {
          // What is not in the image is not read either: there may be no memory.
          f.set(pointer, i32.add(dy, i32.select(steps[i]!, i32.const(0), has[i]!)));
          f.set(inside[i]!, i32x4.splat(i32.sub(i32.const(0), has[i]!)));
        });
        f.set(panel, z);
        f.set(left, panels);
        f.while(i32.gtS(left, i32.const(0)), () => {
          for (const side of [0, 16]) {
            pixels.forEach((pixel, i) => {
              const value = f32x4.load(from[i]!, side);
              f.set(pixel, i === 0 ? value : v128.and(value, inside[i]!));
            });
            f.set(to, panel);
            for (const vertical of COTANGENT_ROWS) {
              half.forEach((sum, j) => {
                f.set(sum, vertical([pixels[j]!, pixels[2 + j]!]));
              });
              for (const horizontal of COTANGENT_ROWS) {
                f.store(to, horizontal(half), side);
                f.increase(to, pointBytes);
              }
            }
          }
          for (const pointer of from) f.increase(pointer, PANEL_BYTES);
          f.increase(panel, panelBytes);
          f.increase(left, -1);
        });
        f.increase(z, PANEL_BYTES);
        f.increase(dy, i32.shl(pixelBytes, i32.const(1)));
        f.increase(column, 1);
        f.if(i32.eq(column, columns), () => {
          f.set(column, i32.const(0));
          f.increase(dy, nextRow);
          f.increase(rows, -2);
        });
        f.increase(tiles, -1);
      });
    },
  );
}
