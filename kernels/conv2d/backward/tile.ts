/**
 * The arithmetic: tiles of dWᵀ, four numbers of a window by eight output channels, that stay in registers while the loop
 * runs over pixels. Both sides of the product are packed, so that it reads straight ahead:
 *
 *   X   [groups of 4][pixels][4]        dY   [panels of 8 channels][pixels][8]        dWᵀ   [groups][panels][4][8]
 */
import { PANEL } from '../../matmul/tile.js';
import type { FunctionReference, ModuleBuilder } from '../../wasm/assembler.js';
import { f32, f32x4, type I32, i32 } from '../../wasm/expression.js';
import type { Arithmetic } from '../../wasm/runtime.js';
import type { PaddingExports } from '../padding.js';

/** Numbers of a window in a tile. */
export const GROUP = 4;
/** Bytes of a pixel in a group, and in a panel. */
export const GROUP_BYTES = 4 * GROUP;
export const PANEL_BYTES = 4 * PANEL;
/** Floats of a tile. */
export const TILE = GROUP * PANEL;

/** The functions of ../padding.ts under the names that they have in this module. */
export interface GradientPaddingExports {
  readonly gradientPad: PaddingExports['conv2dPad'];
  readonly gradientPlaces: PaddingExports['conv2dPlaces'];
}

export interface GradientTileExports {
  /** dWᵀ += X · dY for every pair of a group and a panel. */
  gradientProducts(
    pixels: number,
    groups: number,
    x: number,
    groupBytes: number,
    panels: number,
    dy: number,
    panelBytes: number,
    dw: number,
    zero: number,
  ): void;
  /** dY [pixels, 8 · panels] to panels `panelBytes` apart. */
  gradientPanels(
    pixels: number,
    panels: number,
    dy: number,
    rowBytes: number,
    to: number,
    panelBytes: number,
  ): void;
  /**
   * One group of X: the four numbers `at0` to `at3` bytes after each pixel, which begin `places[i]` bytes after x. Where
   * `whole` is 1 they follow each other from `at0` on.
   */
  gradientGroup(
    pixels: number,
    places: number,
    x: number,
    whole: number,
    at0: number,
    at1: number,
    at2: number,
    at3: number,
    to: number,
  ): void;
}

/** Adds `gradientTile`: one tile. */
function defineTile(module: ModuleBuilder, { madd }: Arithmetic): FunctionReference {
  return module.function(
    'gradientTile',
    { pixels: 'i32', x: 'i32', dy: 'i32', dw: 'i32', zero: 'i32' },
    (f, { pixels, x, dy, dw, zero }) => {
      const sums = Array.from({ length: 2 * GROUP }, (_, i) => f.local(f32x4.load(dw, 16 * i)));
      const [low, high, value] = [f.declare('v128'), f.declare('v128'), f.declare('v128')];
      const end = f.local(i32.add(x, i32.mul(pixels, i32.const(GROUP_BYTES))));
      f.while(i32.ltS(x, end), () => {
        f.set(low, f32x4.load(dy));
        f.set(high, f32x4.load(dy, 16));
        for (let i = 0; i < GROUP; i++) {
          const [left, right] = [sums[2 * i]!, sums[2 * i + 1]!];
          f.set(value, f32x4.loadSplat(x, 4 * i));
          f.set(left, madd(value, low, left));
          f.set(right, madd(value, high, right));
        }
        f.fence(zero);
        f.increase(x, GROUP_BYTES);
        f.increase(dy, PANEL_BYTES);
      });
      sums.forEach((sum, i) => {
        f.store(dw, sum, 16 * i);
      });
    },
    false,
  );
}

export function defineGradientTiles(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const tile = defineTile(module, arithmetic);
  module.function(
    'gradientProducts',
    {
      pixels: 'i32',
      groups: 'i32',
      x: 'i32',
      groupBytes: 'i32',
      panels: 'i32',
      dy: 'i32',
      panelBytes: 'i32',
      dw: 'i32',
      zero: 'i32',
    },
    (f, { pixels, groups, x, groupBytes, panels, dy, panelBytes, dw, zero }) => {
      const [left, from] = [f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(groups, i32.const(0)), () => {
        f.set(left, panels);
        f.set(from, dy);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.call(tile, pixels, x, from, dw, zero);
          f.increase(from, panelBytes);
          f.increase(dw, 4 * TILE);
          f.increase(left, -1);
        });
        f.increase(x, groupBytes);
        f.increase(groups, -1);
      });
    },
  );

  module.function(
    'gradientPanels',
    { pixels: 'i32', panels: 'i32', dy: 'i32', rowBytes: 'i32', to: 'i32', panelBytes: 'i32' },
    (f, { pixels, panels, dy, rowBytes, to, panelBytes }) => {
      const [left, from, at] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(pixels, i32.const(0)), () => {
        f.set(left, panels);
        f.set(from, dy);
        f.set(at, to);
        f.while(i32.gtS(left, i32.const(0)), () => {
          // A last panel that is not full takes what follows: its sums are never read.
          f.store(at, f32x4.load(from));
          f.store(at, f32x4.load(from, 16), 16);
          f.increase(from, PANEL_BYTES);
          f.increase(at, panelBytes);
          f.increase(left, -1);
        });
        f.increase(dy, rowBytes);
        f.increase(to, PANEL_BYTES);
        f.increase(pixels, -1);
      });
    },
  );

  module.function(
    'gradientGroup',
    {
      pixels: 'i32',
      places: 'i32',
      x: 'i32',
      whole: 'i32',
      at0: 'i32',
      at1: 'i32',
      at2: 'i32',
      at3: 'i32',
      to: 'i32',
    },
    (f, { pixels, places, x, whole, at0, at1, at2, at3, to }) => {
      const pixel = f.declare('i32');
      const each = (copy: (from: I32) => void) =>
        f.while(i32.gtS(pixels, i32.const(0)), () => {
          f.set(pixel, i32.add(x, i32.load(places)));
          copy(pixel);
          f.increase(places, 4);
          f.increase(to, GROUP_BYTES);
          f.increase(pixels, -1);
        });
      f.if(
        whole,
        () => {
          f.increase(x, at0);
          each((from) => f.store(to, f32x4.load(from)));
        },
        () =>
          each((from) => {
            [at0, at1, at2, at3].forEach((at, i) => {
              f.store(to, f32.load(i32.add(from, at)), 4 * i);
            });
          }),
      );
    },
  );
}
