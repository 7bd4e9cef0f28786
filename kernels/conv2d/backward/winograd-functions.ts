/** The WebAssembly of the transforms that `winograd.ts` has the formula of. */
import type { ModuleBuilder } from '../../wasm/assembler.js';
import { f32x4, i32, i32x4, type V128, v128 } from '../../wasm/expression.js';
import { INPUT_ROWS } from '../winograd-functions.js';
import { GROUP, GROUP_BYTES, PANEL_BYTES, TILE } from './tile.js';

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
  /** Gᵀ M G of all pairs of channels: from the sums to dW [outChannels, 3, 3, inChannels]. */
  gradientFilters(inChannels: number, panels: number, sums: number, pointBytes: number, dw: number): void;
}

/** A applied to two. */
const COTANGENT_ROWS: readonly ((y: readonly V128[]) => V128)[] = [
  (y) => y[0]!,
  (y) => f32x4.add(y[0]!, y[1]!),
  (y) => f32x4.sub(y[0]!, y[1]!),
  (y) => f32x4.neg(y[1]!),
];

/** Half a number. */
const half = (x: V128): V128 => f32x4.mul(x, f32x4.constSplat(0.5));

/** Gᵀ applied to four. */
const FILTER_ROWS: readonly ((m: readonly V128[]) => V128)[] = [
  (m) => f32x4.add(m[0]!, half(f32x4.add(m[1]!, m[2]!))),
  (m) => half(f32x4.sub(m[1]!, m[2]!)),
  (m) => f32x4.add(half(f32x4.add(m[1]!, m[2]!)), m[3]!),
];

export function defineGradientTransforms(module: ModuleBuilder): void {
  defineInput(module);
  defineCotangent(module);
  defineFilters(module);
}

function defineFilters(module: ModuleBuilder): void {
  module.function(
    'gradientFilters',
    { inChannels: 'i32', panels: 'i32', sums: 'i32', pointBytes: 'i32', dw: 'i32' },
    (f, { inChannels, panels, sums, pointBytes, dw }) => {
      const pixelBytes = f.local(i32.shl(inChannels, i32.const(2)));
      const filterBytes = f.local(i32.mul(pixelBytes, i32.const(9)));
      const [group, panel, c, at, filter, to] = [
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
        f.declare('i32'),
      ];
      // Gᵀ M: three rows of four
      const rows = [0, 1, 2].map(() => [0, 1, 2, 3].map(() => f.declare('v128')));
      const m = [0, 1, 2, 3].map(() => f.declare('v128'));
      const value = f.declare('v128');
      /** Four output channels of one input channel: sums at `at`, filters from `filter` on. */
      const four = (side: number): void => {
        for (let j = 0; j < 4; j++) {
          m.forEach((each, i) => {
            f.set(each, f32x4.load(i32.add(at, i32.mul(pointBytes, i32.const(4 * i + j))), side));
          });
          rows.forEach((row, r) => {
            f.set(row[j]!, FILTER_ROWS[r]!(m));
          });
        }
        for (let lane = 0; lane < 4; lane++) {
          f.set(to, lane === 0 ? filter : i32.add(filter, i32.mul(filterBytes, i32.const(lane))));
          for (const row of rows) {
            for (const horizontal of FILTER_ROWS) {
              f.set(value, horizontal(row));
              f.store(to, f32x4.extractLane(value, lane));
              f.increase(to, pixelBytes);
            }
          }
        }
        f.increase(filter, i32.shl(filterBytes, i32.const(2)));
      };
      f.for(group, i32.const(0), inChannels, GROUP, () => {
        f.for(panel, i32.const(0), panels, 1, () => {
          f.for(c, i32.const(0), i32.const(GROUP), 1, () => {
            f.set(at, i32.add(sums, i32.mul(c, i32.const(PANEL_BYTES))));
            f.set(
              filter,
              i32.add(
                i32.add(dw, i32.shl(i32.add(group, c), i32.const(2))),
                i32.mul(i32.mul(panel, i32.const(PANEL_BYTES / 4)), filterBytes),
              ),
            );
            four(0);
            four(16);
          });
          f.increase(sums, 4 * TILE);
        });
      });
    },
  );
}

function defineInput(module: ModuleBuilder): void {
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
}

function defineCotangent(module: ModuleBuilder): void {
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
