/**
 * The steps of attention for a block of up to 4 queries: shifted queries, products
 * with packed panels, softmax rows, scaled results.
 */

import { branchOn, defineTile, MOST_ROWS, PANEL } from '../matmul/simd.js';
import { rowExponentials, rowMaximum } from '../softmax/simd.js';
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, type I32, i32, v128 } from '../wasm/expression.js';
import { mapRow } from '../wasm/rows.js';
import type { Arithmetic } from '../wasm/runtime.js';

export const PANEL_BYTES = 4 * PANEL;

/**
 * Adds `shiftQueries`: rows (q + u) · scale to `to`, and (q + v) · scale to `toV`, [rows, width], up to three
 * numbers past the end of a row. Scaling the queries scales the scores, with fewer multiplications.
 */
export function defineShiftQueries(module: ModuleBuilder): FunctionReference {
  return module.function(
    'shiftQueries',
    {
      rows: 'i32',
      width: 'i32',
      scale: 'f32',
      q: 'i32',
      qRowBytes: 'i32',
      u: 'i32',
      v: 'i32',
      toU: 'i32',
      toV: 'i32',
      toRowBytes: 'i32',
    },
    (f, { rows, width, scale, q, qRowBytes, u, v, toU, toV, toRowBytes }) => {
      const factor = f.local(f32x4.splat(scale));
      const [at, query] = [f.declare('i32'), f.declare('v128')];
      const shifted = (bias: I32) => f32x4.mul(f32x4.add(query, f32x4.load(i32.add(bias, at))), factor);
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.for(at, i32.const(0), i32.shl(width, i32.const(2)), 16, () => {
          f.set(query, f32x4.load(i32.add(q, at)));
          f.store(i32.add(toU, at), shifted(u));
          f.store(i32.add(toV, at), shifted(v));
        });
        f.increase(q, qRowBytes);
        f.increase(toU, toRowBytes);
        f.increase(toV, toRowBytes);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/** Adds `attentionProduct`: A [rows, k] times `panels` panels, to or onto C [rows, 8 · panels]. */
export function defineProduct(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  const tiles = Array.from({ length: MOST_ROWS }, (_, r) => defineTile(module, arithmetic, r + 1));
  return module.function(
    'attentionProduct',
    {
      rows: 'i32',
      k: 'i32',
      a: 'i32',
      aRowBytes: 'i32',
      panels: 'i32',
      b: 'i32',
      zeros: 'i32',
      accumulate: 'i32',
      c: 'i32',
      cRowBytes: 'i32',
    },
    (f, { rows, k, a, aRowBytes, panels, b, zeros, accumulate, c, cRowBytes }) => {
      branchOn(f, rows, (r) => {
        f.while(i32.gtS(panels, i32.const(0)), () => {
          f.call(tiles[r - 1]!, k, a, aRowBytes, b, zeros, c, cRowBytes, accumulate);
          f.increase(b, i32.mul(k, i32.const(PANEL_BYTES)));
          f.increase(c, PANEL_BYTES);
          f.increase(panels, -1);
        });
      });
    },
    false,
  );
}

/**
 * Adds `attentionSoftmax`: scores [rows, columns] to exponentials, in place, and 1 / Σ of each row to `normalisers`,
 * four times each. Keys whose `masked` number has all bits set get 0; a row of which nothing is left gets the
 * normaliser 0.
 */
export function defineAttentionSoftmax(
  module: ModuleBuilder,
  arithmetic: Arithmetic,
  withMask: boolean,
): FunctionReference {
  return module.function(
    withMask ? 'maskedAttentionSoftmax' : 'attentionSoftmax',
    { rows: 'i32', columns: 'i32', x: 'i32', rowBytes: 'i32', masked: 'i32', normalisers: 'i32' },
    (f, { rows, columns, x, rowBytes, masked, normalisers }) => {
      const mask = withMask ? masked : null;
      f.while(i32.gtS(rows, i32.const(0)), () => {
        const largest = rowMaximum(f, columns, x, mask);
        const sum = rowExponentials(f, arithmetic, columns, x, largest, x, mask);
        const inverse = f32x4.div(f32x4.constSplat(1), sum);
        f.store(normalisers, v128.andnot(inverse, f32x4.eq(sum, f32x4.constSplat(0))));
        f.increase(x, rowBytes);
        f.increase(normalisers, 16);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/**
 * Adds `scaleRows`: Y [rows, columns] = X times a normaliser for each row; or `maskedScaleRows`, where numbers whose
 * `masked` number has all bits set become 0, whatever the normaliser is.
 */
export function defineScaleRows(module: ModuleBuilder, withMask: boolean): FunctionReference {
  return module.function(
    withMask ? 'maskedScaleRows' : 'scaleRows',
    {
      rows: 'i32',
      columns: 'i32',
      x: 'i32',
      xRowBytes: 'i32',
      masked: 'i32',
      normalisers: 'i32',
      y: 'i32',
      yRowBytes: 'i32',
    },
    (f, { rows, columns, x, xRowBytes, masked, normalisers, y, yRowBytes }) => {
      f.while(i32.gtS(rows, i32.const(0)), () => {
        const normaliser = f.local(f32x4.load(normalisers));
        if (withMask) {
          mapRow(f, columns, [x, masked], y, (value, mask) =>
            v128.andnot(f32x4.mul(value, normaliser), mask),
          );
        } else mapRow(f, columns, [x], y, (value) => f32x4.mul(value, normaliser));
        f.increase(x, xRowBytes);
        f.increase(y, yRowBytes);
        f.increase(normalisers, 16);
        f.increase(rows, -1);
      });
    },
    false,
  );
}
