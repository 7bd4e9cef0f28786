/**
 * Tiles of C that stay in registers: the arithmetic of the matrix product, shared with attention. What the layout
 * and the sizes are good for is in simd.ts.
 */
import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32, f32x4, type I32, i32, type V128 } from '../wasm/expression.js';
import { swish } from '../wasm/math.js';
import type { Arithmetic } from '../wasm/runtime.js';
import type { MatmulActivation } from './reference.js';

/** Columns of a panel. */
export const PANEL = 8;
export const PANEL_BYTES = 4 * PANEL;

/** Most rows of a tile: with 8 columns its sums take 8 of the 15 vector registers that V8 has to give. */
export const MOST_ROWS = 4;

/** How a tile of so many rows is computed, as measured: kernels/matmul/README.md. */
interface TilePlan {
  /** Sums that a tile of few rows keeps per element, so that additions do not wait for one another. */
  readonly chains: number;
  /** Steps of k in one turn of the loop. V8 unrolls short loops itself, but not around a fence. */
  readonly unroll: number;
  /** Whether a fence keeps the arithmetic of a step before that of the next. */
  readonly fenced: boolean;
}

function plan(rows: number, fused: boolean): TilePlan {
  if (rows === 1) return { chains: 2, unroll: 4, fenced: false };
  if (rows === 2) {
    return fused ? { chains: 2, unroll: 4, fenced: true } : { chains: 1, unroll: 2, fenced: false };
  }
  if (rows === MOST_ROWS && fused) return { chains: 1, unroll: 2, fenced: true };
  return { chains: 1, unroll: 1, fenced: false };
}

const TILE_PARAMETERS = {
  k: 'i32',
  a: 'i32',
  aRowBytes: 'i32',
  b: 'i32',
  bias: 'i32',
  c: 'i32',
  cRowBytes: 'i32',
  accumulate: 'i32',
  zero: 'i32',
} as const;

/** How A lies in memory: [rows, k], or transposed, [k, rows], in rows of `aRowBytes` either way. */
export type TileLayout = 'rows' | 'transposed';

/**
 * Adds `tile<rows>`, or `transposedTile<rows>`: rows of A [rows, k] times one panel [k, 8], plus 8 numbers of bias, to or
 * onto C [rows, 8]. A transposed A is read four numbers of a row at a step, with one pointer for all.
 */
export function defineTile(
  module: ModuleBuilder,
  arithmetic: Arithmetic,
  rows: number,
  layout: TileLayout = 'rows',
): FunctionReference {
  const { chains, unroll, fenced } = plan(rows, arithmetic.fused);
  const transposed = layout === 'transposed';
  return module.shared(
    transposed ? `transposedTile${rows}` : `tile${rows}`,
    TILE_PARAMETERS,
    (f, { k, a, aRowBytes, b, bias, c, cRowBytes, accumulate, zero }) => {
      const rowOf = Array.from({ length: transposed ? 1 : rows }, (_, r) =>
        r === 0 ? a : f.local(i32.add(a, i32.mul(aRowBytes, i32.const(r)))),
      );
      // sums[chain][row]: the two vectors of a row of the tile
      const sums = Array.from({ length: chains }, (_, chain) =>
        Array.from({ length: rows }, () =>
          [0, 16].map((half) => f.local(chain === 0 ? f32x4.load(bias, half) : f32x4.constSplat(0))),
        ),
      ) as [Local<'v128'>, Local<'v128'>][][];
      const [b0, b1, x] = [f.declare('v128'), f.declare('v128'), f.declare('v128')];
      const end = f.declare('i32');

      const step = (s: number): void => {
        f.set(b0, f32x4.load(b, PANEL_BYTES * s));
        f.set(b1, f32x4.load(b, PANEL_BYTES * s + 16));
        sums[s % chains]!.forEach(([left, right], r) => {
          f.set(x, transposed ? f32x4.loadSplat(a, 4 * r) : f32x4.loadSplat(rowOf[r]!, 4 * s));
          f.set(left, arithmetic.madd(x, b0, left));
          f.set(right, arithmetic.madd(x, b1, right));
        });
        if (transposed) f.increase(a, aRowBytes);
      };
      const advance = (steps: number): void => {
        f.increase(b, PANEL_BYTES * steps);
        if (transposed) return;
        for (const row of rowOf) f.increase(row, 4 * steps);
      };

      f.set(end, i32.add(b, i32.mul(k, i32.const(PANEL_BYTES))));
      f.while(i32.leS(b, i32.sub(end, i32.const(PANEL_BYTES * unroll))), () => {
        for (let s = 0; s < unroll; s++) {
          step(s);
          if (fenced) f.fence(zero);
        }
        advance(unroll);
      });
      if (unroll > 1) {
        f.while(i32.ltS(b, end), () => {
          step(0);
          advance(1);
        });
      }

      const totals = Array.from({ length: rows }, (_, r) =>
        [0, 1].map((half) =>
          sums.map((chain) => chain[r]![half] as V128).reduce((left, right) => f32x4.add(left, right)),
        ),
      );
      const store = (add: boolean) => {
        const to = f.local(c);
        for (const halves of totals) {
          halves.forEach((total, half) => {
            const value = add ? f32x4.add(f32x4.load(to, 16 * half), total) : total;
            f.store(to, value, 16 * half);
          });
          f.increase(to, cRowBytes);
        }
      };
      f.if(
        accumulate,
        () => store(true),
        () => store(false),
      );
    },
  );
}

/** Panels that a single row takes at once. */
export const ROW_PANELS = 4;

/**
 * Adds `row`: one row of A times four panels, to or onto 32 elements of C. A step does 8 multiply-adds for one
 * number of A, and reads B in four streams, as fast as the caches give it.
 */
export function defineRow(module: ModuleBuilder, { madd }: Arithmetic): FunctionReference {
  return module.function(
    'row',
    { k: 'i32', a: 'i32', b: 'i32', bias: 'i32', biasBytes: 'i32', c: 'i32', accumulate: 'i32' },
    (f, { k, a, b, bias, biasBytes, c, accumulate }) => {
      const panelBytes = f.local(i32.mul(k, i32.const(PANEL_BYTES)));
      const panels = Array.from({ length: ROW_PANELS }, (_, at) =>
        at === 0 ? b : f.local(i32.add(b, i32.mul(panelBytes, i32.const(at)))),
      );
      const sums = panels.map((_, at) => {
        const from = i32.add(bias, i32.mul(biasBytes, i32.const(at)));
        return [0, 16].map((half) => f.local(f32x4.load(from, half)));
      });
      f.if(accumulate, () => {
        sums.flat().forEach((sum, at) => {
          f.set(sum, f32x4.add(sum, f32x4.load(c, 16 * at)));
        });
      });
      const x = f.declare('v128');
      const end = f.local(i32.add(b, panelBytes));
      f.while(i32.ltS(b, end), () => {
        f.set(x, f32x4.loadSplat(a));
        panels.forEach((panel, at) => {
          sums[at]!.forEach((sum, half) => {
            f.set(sum, madd(x, f32x4.load(panel, 16 * half), sum));
          });
        });
        f.increase(a, 4);
        for (const panel of panels) f.increase(panel, PANEL_BYTES);
      });
      sums.flat().forEach((sum, at) => {
        f.store(c, sum, 16 * at);
      });
    },
    false,
  );
}

/** Activations by number, as the exported function takes them. */
export const ACTIVATIONS: readonly MatmulActivation[] = ['none', 'relu', 'swish'];

/** Adds `activate`: f of each element of C [rows, 8], in place. */
export function defineActivate(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  return module.function(
    'activateTile',
    { activation: 'i32', rows: 'i32', c: 'i32', cRowBytes: 'i32' },
    (f, { activation, rows, c, cRowBytes }) => {
      const each = (apply: (x: Local<'v128'>) => V128) => {
        f.while(i32.gtS(rows, i32.const(0)), () => {
          for (const half of [0, 16]) {
            const x = f.local(f32x4.load(c, half));
            f.store(c, apply(x), half);
          }
          f.increase(c, cRowBytes);
          f.increase(rows, -1);
        });
      };
      f.if(
        i32.eq(activation, i32.const(ACTIVATIONS.indexOf('relu'))),
        () => each((x) => f32x4.max(x, f32x4.constSplat(0))),
        () => each((x) => swish(f, arithmetic, x)),
      );
    },
    false,
  );
}

/** Adds `copyTile`: [rows, columns] from one place to another. */
export function defineCopy(module: ModuleBuilder): FunctionReference {
  return module.function(
    'copyTile',
    { rows: 'i32', columns: 'i32', from: 'i32', fromRowBytes: 'i32', to: 'i32', toRowBytes: 'i32' },
    (f, { rows, columns, from, fromRowBytes, to, toRowBytes }) => {
      const j = f.declare('i32');
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.for(j, i32.const(0), i32.shl(columns, i32.const(2)), 4, () => {
          f.store(i32.add(to, j), f32.load(i32.add(from, j)));
        });
        f.increase(from, fromRowBytes);
        f.increase(to, toRowBytes);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/** Runs `body(r)` for the r that `rows` is; the largest first, because it is the most frequent. */
export function branchOn(f: FunctionBuilder, rows: I32, body: (rows: number) => void): void {
  const branch = (r: number): void => {
    if (r === 1) {
      body(1);
      return;
    }
    f.if(
      i32.eq(rows, i32.const(r)),
      () => body(r),
      () => branch(r - 1),
    );
  };
  branch(MOST_ROWS);
}
