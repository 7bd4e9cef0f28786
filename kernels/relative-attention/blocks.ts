/**
 * The steps of attention for a block of up to 4 queries: shifted queries, products
 * with packed panels, softmax rows, scaled results.
 */

import { branchOn, defineTile, MOST_ROWS, PANEL } from '../matmul/tile.js';
import { rowExponentials, rowMaximum } from '../softmax/simd.js';
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, type I32, i32, v128 } from '../wasm/expression.js';
import { chainsOf, mapRow } from '../wasm/rows.js';
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

/** Adds `scaleQueries`: rows q · scale to `to`, up to three numbers past the end of a row. */
export function defineScaleQueries(module: ModuleBuilder): FunctionReference {
  return module.function(
    'scaleQueries',
    { rows: 'i32', width: 'i32', scale: 'f32', q: 'i32', qRowBytes: 'i32', to: 'i32', toRowBytes: 'i32' },
    (f, { rows, width, scale, q, qRowBytes, to, toRowBytes }) => {
      const factor = f.local(f32x4.splat(scale));
      const at = f.declare('i32');
      f.while(i32.gtS(rows, i32.const(0)), () => {
        f.for(at, i32.const(0), i32.shl(width, i32.const(2)), 16, () => {
          f.store(i32.add(to, at), f32x4.mul(f32x4.load(i32.add(q, at)), factor));
        });
        f.increase(q, qRowBytes);
        f.increase(to, toRowBytes);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/** Adds `attentionCopyRows`: rows X [rows, columns] to `y`. */
export function defineCopyRows(module: ModuleBuilder): FunctionReference {
  return module.function(
    'attentionCopyRows',
    { rows: 'i32', columns: 'i32', x: 'i32', xRowBytes: 'i32', y: 'i32', yRowBytes: 'i32' },
    (f, { rows, columns, x, xRowBytes, y, yRowBytes }) => {
      f.while(i32.gtS(rows, i32.const(0)), () => {
        mapRow(f, columns, [x], y, (value) => value);
        f.increase(x, xRowBytes);
        f.increase(y, yRowBytes);
        f.increase(rows, -1);
      });
    },
    false,
  );
}

/**
 * Adds `attentionHalf<rows>`: rows of A [rows, k] times four columns of a panel [k, 8], to or onto C [rows, 4]. Two sums
 * per element, so that additions do not wait for one another.
 */
function defineHalfTile(module: ModuleBuilder, { madd }: Arithmetic, rows: number): FunctionReference {
  const CHAINS = 2;
  return module.function(
    `attentionHalf${rows}`,
    {
      k: 'i32',
      a: 'i32',
      aRowBytes: 'i32',
      b: 'i32',
      c: 'i32',
      cRowBytes: 'i32',
      accumulate: 'i32',
      zero: 'i32',
    },
    (f, { k, a, aRowBytes, b, c, cRowBytes, accumulate, zero }) => {
      const rowOf = Array.from({ length: rows }, (_, r) =>
        r === 0 ? a : f.local(i32.add(a, i32.mul(aRowBytes, i32.const(r)))),
      );
      const sums = Array.from({ length: CHAINS }, () => chainsOf(f, rows, f32x4.constSplat(0)));
      const four = f.declare('v128');
      const steps = (count: number) => {
        f.while(i32.geS(k, i32.const(count)), () => {
          for (let s = 0; s < count; s++) {
            f.set(four, f32x4.load(b, PANEL_BYTES * s));
            sums[s]!.forEach((sum, r) => {
              f.set(sum, madd(f32x4.loadSplat(rowOf[r]!, 4 * s), four, sum));
            });
            if (count > 1) f.fence(zero);
          }
          f.increase(b, PANEL_BYTES * count);
          for (const row of rowOf) f.increase(row, 4 * count);
          f.increase(k, -count);
        });
      };
      steps(CHAINS);
      steps(1);
      for (let r = 0; r < rows; r++) {
        const total = f.local(f32x4.add(sums[0]![r]!, sums[1]![r]!));
        f.if(accumulate, () => f.set(total, f32x4.add(f32x4.load(c), total)));
        f.store(c, total);
        f.increase(c, cRowBytes);
      }
    },
    false,
  );
}

/**
 * Adds `attentionProduct`: A [rows, k] times columns 4 · `first` to 4 · `end` of the packed B, to or onto C. What begins
 * or ends in the middle of a panel costs half a panel.
 */
export function defineProduct(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  const ofRows = (define: (rows: number) => FunctionReference) =>
    Array.from({ length: MOST_ROWS }, (_, r) => define(r + 1));
  const wholes = ofRows((rows) => defineTile(module, arithmetic, rows));
  const halves = ofRows((rows) => defineHalfTile(module, arithmetic, rows));
  return module.function(
    'attentionProduct',
    {
      rows: 'i32',
      k: 'i32',
      a: 'i32',
      aRowBytes: 'i32',
      b: 'i32',
      first: 'i32',
      end: 'i32',
      zeros: 'i32',
      accumulate: 'i32',
      c: 'i32',
      cRowBytes: 'i32',
      zero: 'i32',
    },
    (f, { rows, k, a, aRowBytes, b, first, end, zeros, accumulate, c, cRowBytes, zero }) => {
      const panelBytes = f.local(i32.mul(k, i32.const(PANEL_BYTES)));
      f.increase(b, i32.mul(i32.shrS(first, i32.const(1)), panelBytes));
      branchOn(f, rows, (r) => {
        const half = (from: I32) =>
          f.call(halves[r - 1]!, k, a, aRowBytes, from, c, cRowBytes, accumulate, zero);
        f.if(i32.and(first, i32.const(1)), () => {
          half(i32.add(b, i32.const(PANEL_BYTES / 2)));
          f.increase(b, panelBytes);
          f.increase(c, PANEL_BYTES / 2);
          f.increase(first, 1);
        });
        f.while(i32.ltS(i32.add(first, i32.const(1)), end), () => {
          f.call(wholes[r - 1]!, k, a, aRowBytes, b, zeros, c, cRowBytes, accumulate, zero);
          f.increase(b, panelBytes);
          f.increase(c, PANEL_BYTES);
          f.increase(first, 2);
        });
        f.if(i32.ltS(first, end), () => half(b));
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
