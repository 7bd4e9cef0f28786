/**
 * The WebAssembly of Winograd's F(2x2, 3x3): the transforms of the image and of the sums, and the 16 products of a
 * block between them. `winograd.ts` has the formula.
 */
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, i32, type V128 } from '../wasm/expression.js';
import type { Arithmetic } from '../wasm/runtime.js';
import { BLOCK_PIXELS, defineRun, PANEL, PANEL_BYTES } from './tile.js';

/** Products of a tile. */
export const POINTS = 16;
/** From the sums of one product to those of the next: always those of a full block, so that offsets are constants. */
const SUMS_BYTES = BLOCK_PIXELS * PANEL_BYTES;
/** Bytes of the sums of a block: m [16][60][8]. */
export const WINOGRAD_SUMS_BYTES = POINTS * SUMS_BYTES;

export interface WinogradExports {
  /**
   * Bᵀ d B of `tiles` tiles, which begin `places[i]` bytes after x: to v [16][tiles][channels], `pointBytes`
   * from one of the 16 to the next.
   */
  conv2dWinogradInput(
    tiles: number,
    places: number,
    x: number,
    xRowBytes: number,
    pixelBytes: number,
    v: number,
    pointBytes: number,
  ): void;
  /**
   * Y of `tiles` tiles, the first of which is in column `column` of `columns`, with `rows` rows of Y from its
   * own on. What lies right of or below Y goes to `spare` [8]. `rowPlaces` are those of the rows of v.
   */
  conv2dWinogradBlock(
    tiles: number,
    channels: number,
    rowPlaces: number,
    v: number,
    pointBytes: number,
    inChannels: number,
    filters: number,
    m: number,
    bias: number,
    biasBytes: number,
    floorBits: number,
    y: number,
    column: number,
    columns: number,
    width: number,
    rows: number,
    pixelBytes: number,
    spare: number,
    zero: number,
  ): void;
}

export function defineWinograd(module: ModuleBuilder, arithmetic: Arithmetic): void {
  defineInput(module);
  // Rows of the left matrix are as long as there are input channels, which are a multiple of 4.
  defineBlock(module, defineRun(module, arithmetic, 'winograd', 4), defineOutput(module));
}

/** Bᵀ applied to four: the differences and sums that a row of it names. */
export const INPUT_ROWS: readonly ((d: readonly V128[]) => V128)[] = [
  (d) => f32x4.sub(d[0]!, d[2]!),
  (d) => f32x4.add(d[1]!, d[2]!),
  (d) => f32x4.sub(d[2]!, d[1]!),
  (d) => f32x4.sub(d[1]!, d[3]!),
];

function defineInput(module: ModuleBuilder): void {
  module.function(
    'conv2dWinogradInput',
    {
      tiles: 'i32',
      places: 'i32',
      x: 'i32',
      xRowBytes: 'i32',
      pixelBytes: 'i32',
      v: 'i32',
      pointBytes: 'i32',
    },
    (f, { tiles, places, x, xRowBytes, pixelBytes, v, pointBytes }) => {
      const at = f.declare('i32');
      const pixel = Array.from({ length: 4 }, () => f.declare('i32'));
      const to = f.declare('i32');
      const half = Array.from({ length: 4 }, () => f.declare('v128'));
      const rows = [0, 1, 2, 3].map((r) => f.local(i32.mul(xRowBytes, i32.const(r))));
      const end = f.declare('i32');
      f.while(i32.gtS(tiles, i32.const(0)), () => {
        f.set(at, i32.add(x, i32.load(places)));
        pixel.forEach((pointer, column) => {
          f.set(pointer, column === 0 ? at : i32.add(pixel[column - 1]!, pixelBytes));
        });
        f.set(end, i32.add(v, pixelBytes));
        f.while(i32.ltS(v, end), () => {
          f.set(to, v);
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
          for (const pointer of pixel) f.increase(pointer, 16);
          f.increase(v, 16);
        });
        f.increase(places, 4);
        f.increase(tiles, -1);
      });
    },
  );
}

/** Aᵀ applied to four. */
const OUTPUT_ROWS: readonly ((m: readonly V128[]) => V128)[] = [
  (m) => f32x4.add(f32x4.add(m[0]!, m[1]!), m[2]!),
  (m) => f32x4.sub(f32x4.sub(m[1]!, m[2]!), m[3]!),
];

/** Adds `winogradOutput`: one panel of Y from m [16][60][8]. */
function defineOutput(module: ModuleBuilder): FunctionReference {
  return module.function(
    'winogradOutput',
    {
      tiles: 'i32',
      m: 'i32',
      bias: 'i32',
      floor: 'f32',
      y: 'i32',
      column: 'i32',
      columns: 'i32',
      width: 'i32',
      rows: 'i32',
      pixelBytes: 'i32',
      spare: 'i32',
    },
    (f, { tiles, m, bias, floor, y, column, columns, width, rows, pixelBytes, spare }) => {
      const rowBytes = f.local(i32.mul(width, pixelBytes));
      // From behind the last tile of a row of tiles to the first of the next.
      const nextRow = f.local(
        i32.sub(i32.shl(rowBytes, i32.const(1)), i32.shl(i32.mul(columns, pixelBytes), i32.const(1))),
      );
      const least = f.local(f32x4.splat(floor));
      const [right, below] = [f.declare('i32'), f.declare('i32')];
      const to = [0, 1, 2, 3].map(() => f.declare('i32'));
      // Aᵀ m: two rows of four
      const half = [0, 1].map(() => [0, 1, 2, 3].map(() => f.declare('v128')));

      f.while(i32.gtS(tiles, i32.const(0)), () => {
        f.set(right, i32.ltS(i32.add(i32.shl(column, i32.const(1)), i32.const(1)), width));
        f.set(below, i32.gtS(rows, i32.const(1)));
        f.set(to[0]!, y);
        f.set(to[1]!, i32.select(i32.add(y, pixelBytes), spare, right));
        f.set(to[2]!, i32.select(i32.add(y, rowBytes), spare, below));
        f.set(to[3]!, i32.select(i32.add(i32.add(y, rowBytes), pixelBytes), spare, i32.and(right, below)));
        for (const side of [0, 16]) {
          for (let j = 0; j < 4; j++) {
            const points = [0, 1, 2, 3].map((i) => f.local(f32x4.load(m, SUMS_BYTES * (4 * i + j) + side)));
            half.forEach((row, i) => {
              f.set(row[j]!, OUTPUT_ROWS[i]!(points));
            });
          }
          half.forEach((row, i) => {
            OUTPUT_ROWS.forEach((horizontal, j) => {
              const sum = f32x4.add(horizontal(row), f32x4.load(bias, side));
              f.store(to[2 * i + j]!, f32x4.pmax(sum, least), side);
            });
          });
        }
        f.increase(m, PANEL_BYTES);
        f.increase(y, i32.shl(pixelBytes, i32.const(1)));
        f.increase(column, 1);
        f.if(i32.eq(column, columns), () => {
          f.set(column, i32.const(0));
          f.increase(y, nextRow);
          f.increase(rows, -2);
        });
        f.increase(tiles, -1);
      });
    },
    false,
  );
}

function defineBlock(module: ModuleBuilder, run: FunctionReference, output: FunctionReference): void {
  module.function(
    'conv2dWinogradBlock',
    {
      tiles: 'i32',
      channels: 'i32',
      rowPlaces: 'i32',
      v: 'i32',
      pointBytes: 'i32',
      inChannels: 'i32',
      filters: 'i32',
      m: 'i32',
      bias: 'i32',
      biasBytes: 'i32',
      floorBits: 'i32',
      y: 'i32',
      column: 'i32',
      columns: 'i32',
      width: 'i32',
      rows: 'i32',
      pixelBytes: 'i32',
      spare: 'i32',
      zero: 'i32',
    },
    (f, p) => {
      const zeros = i32.const(0);
      const one = i32.const(1);
      const rowBytes = i32.const(PANEL_BYTES);
      const panelBytes = f.local(i32.mul(p.inChannels, i32.const(PANEL_BYTES)));
      const [point, from, to] = [f.declare('i32'), f.declare('i32'), f.declare('i32')] as const;
      f.while(i32.gtS(p.channels, i32.const(0)), () => {
        f.set(from, p.v);
        f.set(to, p.m);
        f.for(point, i32.const(0), i32.const(POINTS), 1, () => {
          const least = f32.const(-Infinity);
          const { tiles, rowPlaces, inChannels, filters, zero } = p;
          f.call(
            run,
            tiles,
            rowPlaces,
            from,
            one,
            inChannels,
            zeros,
            filters,
            zeros,
            least,
            to,
            rowBytes,
            zero,
          );
          f.increase(from, p.pointBytes);
          f.increase(to, SUMS_BYTES);
          f.increase(p.filters, panelBytes);
        });
        f.call(
          output,
          p.tiles,
          p.m,
          p.bias,
          f32.reinterpretI32(p.floorBits),
          p.y,
          p.column,
          p.columns,
          p.width,
          p.rows,
          p.pixelBytes,
          p.spare,
        );
        f.increase(p.bias, p.biasBytes);
        f.increase(p.y, PANEL_BYTES);
        f.increase(p.channels, -PANEL);
      });
    },
  );
}
