/** The steps of attention's gradients: packing with a bias, products of panels, the softmax's gradient, sums of rows. */
import { branchOn, defineTile, MOST_ROWS, PANEL_BYTES } from '../../matmul/tile.js';
import type { FunctionReference, ModuleBuilder } from '../../wasm/assembler.js';
import { f32x4, i32, type V128, v128 } from '../../wasm/expression.js';
import { chainsOf, firstLanes, foldChains, foldLanes, mapRow, VECTOR, walkRow } from '../../wasm/rows.js';
import type { Arithmetic } from '../../wasm/runtime.js';

/**
 * Adds `packShifted`: X [rows, width] plus `bias` [width] to panels [ceil(width / 8)][rows][8]. The columns that the last
 * panel has too many hold what follows in memory; nobody reads their results.
 */
export function definePackShifted(module: ModuleBuilder): FunctionReference {
  return module.function(
    'packShifted',
    { rows: 'i32', width: 'i32', x: 'i32', rowBytes: 'i32', bias: 'i32', biasBytes: 'i32', to: 'i32' },
    (f, { rows, width, x, rowBytes, bias, biasBytes, to }) => {
      const [from, r] = [f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(width, i32.const(0)), () => {
        const [left, right] = [f.local(f32x4.load(bias)), f.local(f32x4.load(bias, VECTOR))];
        f.set(from, x);
        f.for(r, i32.const(0), rows, 1, () => {
          f.store(to, f32x4.add(f32x4.load(from), left));
          f.store(to, f32x4.add(f32x4.load(from, VECTOR), right), VECTOR);
          f.increase(from, rowBytes);
          f.increase(to, PANEL_BYTES);
        });
        f.increase(x, PANEL_BYTES);
        f.increase(bias, biasBytes);
        f.increase(width, -PANEL_BYTES / 4);
      });
    },
    false,
  );
}

/**
 * Adds `panelProduct`, or `transposedPanelProduct` for an A that is stored [k, rows]: A [rows, k] times panels of B that
 * are `panelBytes` apart, to C [rows, 8 · panels]; at most four rows.
 */
export function definePanelProduct(
  module: ModuleBuilder,
  arithmetic: Arithmetic,
  layout: 'rows' | 'transposed',
): FunctionReference {
  const tiles = Array.from({ length: MOST_ROWS }, (_, r) => defineTile(module, arithmetic, r + 1, layout));
  return module.function(
    layout === 'rows' ? 'panelProduct' : 'transposedPanelProduct',
    {
      rows: 'i32',
      k: 'i32',
      a: 'i32',
      aRowBytes: 'i32',
      b: 'i32',
      panelBytes: 'i32',
      panels: 'i32',
      c: 'i32',
      cRowBytes: 'i32',
      zeros: 'i32',
      zero: 'i32',
    },
    (f, { rows, k, a, aRowBytes, b, panelBytes, panels, c, cRowBytes, zeros, zero }) => {
      branchOn(f, rows, (r) => {
        f.while(i32.gtS(panels, i32.const(0)), () => {
          f.call(tiles[r - 1]!, k, a, aRowBytes, b, zeros, c, cRowBytes, i32.const(0), zero);
          f.increase(b, panelBytes);
          f.increase(c, PANEL_BYTES);
          f.increase(panels, -1);
        });
      });
    },
    false,
  );
}

/** Sums that a row's product of weights and gradients is kept in. */
const CHAINS = 4;

/**
 * Adds `softmaxGradient`: rows of d loss / d weight, in place, to scale · w (dw - Σ w dw), with zeros in the four places
 * behind a row and the four before the next one.
 */
export function defineSoftmaxGradient(module: ModuleBuilder, { madd }: Arithmetic): FunctionReference {
  return module.function(
    'softmaxGradient',
    {
      rows: 'i32',
      columns: 'i32',
      scale: 'f32',
      weights: 'i32',
      weightRowBytes: 'i32',
      g: 'i32',
      gRowBytes: 'i32',
    },
    (f, { rows, columns, scale, weights, weightRowBytes, g, gRowBytes }) => {
      const factor = f.local(f32x4.splat(scale));
      const zero = f32x4.constSplat(0);
      f.while(i32.gtS(rows, i32.const(0)), () => {
        const [w, dw] = [f.local(weights), f.local(g)];
        const sums = chainsOf(f, CHAINS, zero);
        const product = (bytes: number, sum: V128) => madd(f32x4.load(w, bytes), f32x4.load(dw, bytes), sum);
        walkRow(
          f,
          columns,
          [w, dw],
          CHAINS,
          (bytes, chain) => f.set(sums[chain]!, product(bytes, sums[chain]!)),
          (count) => {
            const rest = v128.and(product(0, zero), firstLanes(count));
            f.set(sums[0]!, f32x4.add(sums[0]!, rest));
          },
        );
        const folded = f.local(foldChains(sums, f32x4.add));
        const mean = f.local(foldLanes(f, folded, f32x4.add));
        mapRow(f, columns, [weights, g], g, (weight, dWeight) =>
          f32x4.mul(f32x4.mul(weight, factor), f32x4.sub(dWeight, mean)),
        );
        f.store(i32.add(g, i32.shl(columns, i32.const(2))), zero);
        f.increase(weights, weightRowBytes);
        f.increase(g, gRowBytes);
        f.store(i32.sub(g, i32.const(VECTOR)), zero);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/**
 * Adds `queryGradients`: rows of dq = A + B, and the sums of the rows of A and B onto `sumsA` and `sumsB`, up to three
 * numbers past their end.
 */
export function defineQueryGradients(module: ModuleBuilder): FunctionReference {
  return module.function(
    'queryGradients',
    {
      rows: 'i32',
      columns: 'i32',
      a: 'i32',
      b: 'i32',
      rowBytes: 'i32',
      sumsA: 'i32',
      sumsB: 'i32',
      dq: 'i32',
      dqRowBytes: 'i32',
    },
    (f, { rows, columns, a, b, rowBytes, sumsA, sumsB, dq, dqRowBytes }) => {
      const at = f.declare('i32');
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.for(at, i32.const(0), i32.shl(columns, i32.const(2)), VECTOR, () => {
          for (const [sums, x] of [
            [sumsA, a],
            [sumsB, b],
          ] as const) {
            const to = f.local(i32.add(sums, at));
            f.store(to, f32x4.add(f32x4.load(to), f32x4.load(i32.add(x, at))));
          }
        });
        mapRow(f, columns, [a, b], dq, f32x4.add);
        f.increase(a, rowBytes);
        f.increase(b, rowBytes);
        f.increase(dq, dqRowBytes);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/** Adds `addGradientRows`: rows X [rows, columns] onto Y. */
export function defineAddRows(module: ModuleBuilder): FunctionReference {
  return module.function(
    'addGradientRows',
    { rows: 'i32', columns: 'i32', x: 'i32', xRowBytes: 'i32', y: 'i32', yRowBytes: 'i32' },
    (f, { rows, columns, x, xRowBytes, y, yRowBytes }) => {
      f.while(i32.gtS(rows, i32.const(0)), () => {
        mapRow(f, columns, [y, x], y, f32x4.add);
        f.increase(x, xRowBytes);
        f.increase(y, yRowBytes);
        f.increase(rows, -1);
      });
    },
    false,
  );
}
