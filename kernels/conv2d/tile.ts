/**
 * The arithmetic: tiles of Y, up to 5 pixels by 8 output channels, that stay in registers while the loop
 * runs over a window. The window of a pixel is `segments` rows (one for each row of the filter) of contiguous
 * floats, kernelWidth · inChannels long, in which a step forward in memory is a step forward in the filter: so
 * the image itself is the left matrix, and no copy of every window (im2col) is made. Pixels are found by a
 * table of places and need not be neighbours, so tiles are full even where an image has few columns.
 *
 * Filters lie in panels of 8 output channels, [ceil(outChannels / 8)][kernelHeight · kernelWidth · inChannels][8].
 */
import { PANEL } from '../matmul/tile.js';
import type { FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, type I32, i32, type V128 } from '../wasm/expression.js';
import type { Arithmetic } from '../wasm/runtime.js';

export { PANEL };
export const PANEL_BYTES = 4 * PANEL;

/** Pixels that one call of `conv2dBlock` takes at most: their part of Y and of X stays in the first-level cache. */
export const BLOCK_PIXELS = 60;

export interface TileExports {
  /**
   * Y [pixels, channels] = max(bias + windows · filters, floor), the floor as the bits of a float, of up to `BLOCK_PIXELS` pixels, which begin
   * `places[i]` bytes after x. `spare` holds Y of one panel.
   */
  conv2dBlock(
    pixels: number,
    channels: number,
    places: number,
    x: number,
    segments: number,
    segmentFloats: number,
    segmentGapBytes: number,
    filters: number,
    bias: number,
    biasBytes: number,
    floorBits: number,
    y: number,
    yRowBytes: number,
    spare: number,
    zero: number,
  ): void;
}

/** Pixels of the largest tile: 6 fill all registers, and then there is no room to load ahead. */
const MOST_PIXELS = 5;

/** How a tile of so many pixels is computed; its sums are 2 · rows · chains registers of the 15 there are. */
interface TilePlan {
  /** Sums that a tile of few pixels keeps per element, so that additions do not wait for one another. */
  readonly chains: number;
  /** Steps in one turn of the loop; a multiple of `chains`. */
  readonly unroll: number;
  /**
   * Pixels, and steps, between two fences. V8 loads all that stands between them at once: sums, two of the filters, one
   * for each pixel and a product have to fit into 15 registers. (Fused, there is no product.)
   */
  readonly fencedRows: number;
  readonly fencedSteps: number;
}

function tilePlan(rows: number, preferred: number, { fused }: Arithmetic): TilePlan {
  if (rows === 1) return { chains: 4, unroll: 8, fencedRows: 1, fencedSteps: 2 };
  if (rows === 2) return { chains: 2, unroll: 4, fencedRows: 2, fencedSteps: 1 };
  const room = 15 - 2 * rows - 2 - (fused ? 0 : 1);
  return { chains: 1, unroll: preferred, fencedRows: Math.min(rows, room), fencedSteps: 1 };
}

const RUN_PARAMETERS = {
  places: 'i32',
  x: 'i32',
  segments: 'i32',
  segmentFloats: 'i32',
  segmentGapBytes: 'i32',
  panel: 'i32',
  bias: 'i32',
  floor: 'f32',
  y: 'i32',
  yRowBytes: 'i32',
  zero: 'i32',
} as const;

/**
 * Adds `<name>Run` and its tiles: any number of pixels of one panel. A turn of the inner loop is `unroll` steps,
 * best a divisor of the length of a segment.
 */
export function defineRun(
  module: ModuleBuilder,
  arithmetic: Arithmetic,
  name: string,
  unroll: number,
): FunctionReference {
  const tiles = Array.from({ length: MOST_PIXELS }, (_, r) =>
    defineTile(module, arithmetic, name, r + 1, unroll),
  );
  return defineSplit(module, name, tiles);
}

/** Adds `conv2dBlock`. Filters have 3 columns more often than not, and the first layer sees one channel. */
export function defineDirect(module: ModuleBuilder, arithmetic: Arithmetic): void {
  defineBlock(module, defineRun(module, arithmetic, 'conv', 3), defineCopyOut(module));
}

/** Adds `<name>Tiles<rows>`: `tiles` tiles of Y [rows, 8], one after the other. */
function defineTile(
  module: ModuleBuilder,
  arithmetic: Arithmetic,
  name: string,
  rows: number,
  preferred: number,
): FunctionReference {
  const { chains, unroll, fencedRows, fencedSteps } = tilePlan(rows, preferred, arithmetic);
  return module.function(
    `${name}Tiles${rows}`,
    { tiles: 'i32', ...RUN_PARAMETERS },
    (
      f,
      { tiles, places, x, segments, segmentFloats, segmentGapBytes, panel, bias, floor, y, yRowBytes, zero },
    ) => {
      const rowOf = Array.from({ length: rows }, () => f.declare('i32'));
      // sums[chain][row]: the two vectors of a row of the tile
      const sums = Array.from({ length: chains }, () =>
        Array.from({ length: rows }, () => [f.declare('v128'), f.declare('v128')] as const),
      );
      const [w0, w1, value] = [f.declare('v128'), f.declare('v128'), f.declare('v128')];
      const [w, end, left] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
      const segmentBytes = f.local(i32.mul(segmentFloats, i32.const(PANEL_BYTES)));

      const step = (s: number): void => {
        f.set(w0, f32x4.load(w, PANEL_BYTES * s));
        f.set(w1, f32x4.load(w, PANEL_BYTES * s + 16));
        sums[s % chains]!.forEach(([low, high], r) => {
          f.set(value, f32x4.loadSplat(rowOf[r]!, 4 * s));
          f.set(low, arithmetic.madd(value, w0, low));
          f.set(high, arithmetic.madd(value, w1, high));
          const last = r === rows - 1;
          if (last ? s % fencedSteps === fencedSteps - 1 : (r + 1) % fencedRows === 0) f.fence(zero);
        });
      };
      const advance = (steps: number): void => {
        f.increase(w, PANEL_BYTES * steps);
        for (const row of rowOf) f.increase(row, 4 * steps);
      };

      f.while(i32.gtS(tiles, i32.const(0)), () => {
        rowOf.forEach((row, r) => {
          f.set(row, i32.add(x, i32.load(places, 4 * r)));
        });
        sums.forEach((ofRows, chain) => {
          for (const halves of ofRows) {
            halves.forEach((sum, half) => {
              f.set(sum, chain === 0 ? f32x4.load(bias, 16 * half) : f32x4.constSplat(0));
            });
          }
        });
        f.set(w, panel);
        f.set(left, segments);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.set(end, i32.add(w, segmentBytes));
          f.while(i32.leS(w, i32.sub(end, i32.const(PANEL_BYTES * unroll))), () => {
            for (let s = 0; s < unroll; s++) step(s);
            advance(unroll);
          });
          f.while(i32.ltS(w, end), () => {
            step(0);
            advance(1);
          });
          for (const row of rowOf) f.increase(row, segmentGapBytes);
          f.increase(left, -1);
        });
        for (let r = 0; r < rows; r++) {
          for (const half of [0, 1] as const) {
            const total = sums.map((chain) => chain[r]![half] as V128).reduce((a, b) => f32x4.add(a, b));
            // pmax keeps a NaN that stands first.
            f.store(y, f32x4.pmax(total, f32x4.splat(floor)), 16 * half);
          }
          f.increase(y, yRowBytes);
        }
        f.increase(places, 4 * rows);
        f.increase(tiles, -1);
      });
    },
    false,
  );
}

/**
 * Adds `<name>Run`. With tiles of n or n - 1 pixels only, where that is possible; otherwise tiles of n and one of
 * what is left.
 */
function defineSplit(
  module: ModuleBuilder,
  name: string,
  tiles: readonly FunctionReference[],
): FunctionReference {
  const most = tiles.length;
  return module.function(
    `${name}Run`,
    { pixels: 'i32', ...RUN_PARAMETERS },
    (f, p) => {
      const [large, small] = [f.declare('i32'), f.declare('i32')];
      const run = (rows: number, count: I32): void => {
        f.call(
          tiles[rows - 1]!,
          count,
          p.places,
          p.x,
          p.segments,
          p.segmentFloats,
          p.segmentGapBytes,
          p.panel,
          p.bias,
          p.floor,
          p.y,
          p.yRowBytes,
          p.zero,
        );
        f.increase(p.places, i32.mul(count, i32.const(4 * rows)));
        f.increase(p.y, i32.mul(i32.mul(count, i32.const(rows)), p.yRowBytes));
        f.set(p.pixels, i32.sub(p.pixels, i32.mul(count, i32.const(rows))));
      };
      const whole = i32.const(most);
      // `small` tiles of n - 1 make up for what is missing to a multiple of n.
      f.set(small, i32.remS(i32.sub(whole, i32.remS(p.pixels, whole)), whole));
      f.set(large, i32.sub(p.pixels, i32.mul(small, i32.const(most - 1))));
      f.if(
        i32.geS(large, i32.const(0)),
        () => f.set(large, i32.divS(large, whole)),
        () => f.set(large, i32.divS(p.pixels, whole)),
      );
      f.if(large, () => run(most, large));
      for (let rows = most - 1; rows > 0; rows--) {
        f.set(small, i32.divS(p.pixels, i32.const(rows)));
        f.if(small, () => run(rows, small));
      }
    },
    false,
  );
}

/** Adds `convCopyOut`: Y [pixels, channels] from a spare [pixels, 8], for a last panel that is not full. */
function defineCopyOut(module: ModuleBuilder): FunctionReference {
  return module.function(
    'convCopyOut',
    { pixels: 'i32', channels: 'i32', spare: 'i32', y: 'i32', yRowBytes: 'i32' },
    (f, { pixels, channels, spare, y, yRowBytes }) => {
      const at = f.declare('i32');
      f.while(i32.gtS(pixels, i32.const(0)), () => {
        f.for(at, i32.const(0), i32.shl(channels, i32.const(2)), 4, () => {
          f.store(i32.add(y, at), f32.load(i32.add(spare, at)));
        });
        f.increase(spare, PANEL_BYTES);
        f.increase(y, yRowBytes);
        f.increase(pixels, -1);
      });
    },
    false,
  );
}

function defineBlock(module: ModuleBuilder, run: FunctionReference, copyOut: FunctionReference): void {
  module.function(
    'conv2dBlock',
    {
      pixels: 'i32',
      channels: 'i32',
      places: 'i32',
      x: 'i32',
      segments: 'i32',
      segmentFloats: 'i32',
      segmentGapBytes: 'i32',
      filters: 'i32',
      bias: 'i32',
      biasBytes: 'i32',
      floorBits: 'i32',
      y: 'i32',
      yRowBytes: 'i32',
      spare: 'i32',
      zero: 'i32',
    },
    (f, p) => {
      const panelBytes = f.local(i32.mul(i32.mul(p.segments, p.segmentFloats), i32.const(PANEL_BYTES)));
      const runTo = (to: I32, toRowBytes: I32): void =>
        f.call(
          run,
          p.pixels,
          p.places,
          p.x,
          p.segments,
          p.segmentFloats,
          p.segmentGapBytes,
          p.filters,
          p.bias,
          f32.reinterpretI32(p.floorBits),
          to,
          toRowBytes,
          p.zero,
        );
      const whole = (channels: Local<'i32'>): I32 => i32.geS(channels, i32.const(PANEL));
      f.while(whole(p.channels), () => {
        runTo(p.y, p.yRowBytes);
        f.increase(p.filters, panelBytes);
        f.increase(p.bias, p.biasBytes);
        f.increase(p.y, PANEL_BYTES);
        f.increase(p.channels, -PANEL);
      });
      f.if(i32.gtS(p.channels, i32.const(0)), () => {
        runTo(p.spare, i32.const(PANEL_BYTES));
        f.call(copyOut, p.pixels, p.channels, p.spare, p.y, p.yRowBytes);
      });
    },
  );
}
