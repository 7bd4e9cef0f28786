/** Gradients of consecutive heads: three loops over blocks, of queries, of keys and of positions. */
import { MOST_ROWS, PANEL_BYTES } from '../../matmul/tile.js';
import type { ModuleBuilder } from '../../wasm/assembler.js';
import { f32x4, type I32, i32 } from '../../wasm/expression.js';
import { VECTOR } from '../../wasm/rows.js';
import type { Arithmetic } from '../../wasm/runtime.js';
import { defineCopyRows } from '../blocks.js';
import { definePackTransposed } from '../pack.js';
import {
  defineAddRows,
  definePackShifted,
  definePanelProduct,
  defineQueryGradients,
  defineSoftmaxGradient,
} from './steps.js';

/** Operands from the first of the heads on, and scratch for one head. */
const PARAMETERS = {
  heads: 'i32',
  frames: 'i32',
  width: 'i32',
  scale: 'f32',
  qkv: 'i32',
  qkvRowBytes: 'i32',
  positions: 'i32',
  positionRowBytes: 'i32',
  biasU: 'i32',
  biasV: 'i32',
  weights: 'i32',
  weightHeadBytes: 'i32',
  weightRowBytes: 'i32',
  dy: 'i32',
  dyRowBytes: 'i32',
  dQkv: 'i32',
  dQkvRowBytes: 'i32',
  dPositions: 'i32',
  dPositionRowBytes: 'i32',
  dBiasU: 'i32',
  dBiasV: 'i32',
  /** Vᵀ in panels of keys; K, P, Q + u, Q + v and dY in panels of the head's width. */
  values: 'i32',
  keys: 'i32',
  table: 'i32',
  queriesU: 'i32',
  queriesV: 'i32',
  upstream: 'i32',
  /** G [T, T] in rows of `gRowBytes`, with zeros between the rows and before the first. */
  g: 'i32',
  gRowBytes: 'i32',
  /** Two blocks of results in rows of `resultRowBytes`. */
  results: 'i32',
  resultRowBytes: 'i32',
  /** Two rows of sums. */
  sums: 'i32',
  zeros: 'i32',
  zero: 'i32',
} as const;

/** The operands by name; `backwardArguments` puts them in order. */
export type BackwardOperands = { readonly [N in keyof typeof PARAMETERS]: number };

export const backwardArguments = (operands: BackwardOperands): number[] =>
  (Object.keys(PARAMETERS) as (keyof BackwardOperands)[]).map((name) => operands[name]);

export interface RelativeAttentionBackwardExports {
  readonly attentionGradients: (...args: number[]) => void;
}

const least = (a: I32, b: I32): I32 => i32.select(a, b, i32.ltS(a, b));
const positive = (a: I32): I32 => i32.select(a, i32.const(0), i32.gtS(a, i32.const(0)));

/** Adds `attentionGradients`. The formulas are in reference.ts, what is packed how and why in simd.ts. */
export function defineRelativeAttentionBackward(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const packTransposed = definePackTransposed(module);
  const packShifted = definePackShifted(module);
  const product = definePanelProduct(module, arithmetic, 'rows');
  const transposedProduct = definePanelProduct(module, arithmetic, 'transposed');
  const softmaxGradient = defineSoftmaxGradient(module, arithmetic);
  const queryGradients = defineQueryGradients(module);
  const copyRows = defineCopyRows(module);
  const addRows = defineAddRows(module);

  module.function('attentionGradients', PARAMETERS, (f, p) => {
    const { frames, width, zeros, zero, resultRowBytes, gRowBytes } = p;
    const one = i32.const(1);
    const headBytes = f.local(i32.shl(width, i32.const(2)));
    const panelsOf = (columns: I32) => i32.shrS(i32.add(columns, i32.const(7)), i32.const(3));
    const [widthPanels, keyPanels] = [f.local(panelsOf(width)), f.local(panelsOf(frames))];
    const positionCount = f.local(i32.sub(i32.shl(frames, one), one));
    const framePanelBytes = f.local(i32.mul(frames, i32.const(PANEL_BYTES)));
    const tablePanelBytes = f.local(i32.mul(positionCount, i32.const(PANEL_BYTES)));
    /** Rows of G that lie one place further left than the row before: column p - (T - 1) + i of row i. */
    const shiftedRowBytes = f.local(i32.add(gRowBytes, i32.const(4)));
    const results2 = f.local(i32.add(p.results, i32.mul(resultRowBytes, i32.const(MOST_ROWS))));
    const sumsV = f.local(i32.add(p.sums, resultRowBytes));
    const [at, rows] = [f.declare('i32'), f.declare('i32')];
    const [from, count] = [f.declare('i32'), f.declare('i32')];
    const [g, to, weights] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];

    /** `body` for each block of up to four of `total` rows, which begins at row `at`. */
    const inBlocks = (total: I32, body: () => void) => {
      f.set(at, i32.const(0));
      f.while(i32.ltS(at, total), () => {
        f.set(rows, least(i32.sub(total, at), i32.const(MOST_ROWS)));
        body();
        f.increase(at, rows);
      });
    };
    const rowAt = (base: I32, rowBytes: I32, row: I32 = at) => i32.add(base, i32.mul(row, rowBytes));
    const part = (which: number, base: I32) => i32.add(base, i32.mul(headBytes, i32.const(which)));
    const pack = (base: I32, rowBytes: I32, target: I32, bias: I32 | null, count: I32 = frames) =>
      f.call(
        packShifted,
        count,
        width,
        base,
        rowBytes,
        bias ?? zeros,
        i32.const(bias === null ? 0 : PANEL_BYTES),
        target,
      );

    f.while(i32.gtS(p.heads, i32.const(0)), () => {
      f.call(packTransposed, frames, width, part(2, p.qkv), p.qkvRowBytes, p.values);
      pack(part(1, p.qkv), p.qkvRowBytes, p.keys, null);
      pack(p.positions, p.positionRowBytes, p.table, null, positionCount);
      pack(p.qkv, p.qkvRowBytes, p.queriesU, p.biasU);
      pack(p.qkv, p.qkvRowBytes, p.queriesV, p.biasV);
      pack(p.dy, p.dyRowBytes, p.upstream, null);
      f.for(at, i32.const(0), i32.shl(resultRowBytes, one), VECTOR, () => {
        f.store(i32.add(p.sums, at), f32x4.constSplat(0));
      });

      inBlocks(frames, () => {
        f.set(g, rowAt(p.g, gRowBytes));
        f.call(
          product,
          rows,
          width,
          rowAt(p.dy, p.dyRowBytes),
          p.dyRowBytes,
          p.values,
          i32.mul(width, i32.const(PANEL_BYTES)),
          keyPanels,
          g,
          gRowBytes,
          zeros,
          zero,
        );
        f.set(weights, rowAt(p.weights, p.weightRowBytes));
        f.call(softmaxGradient, rows, frames, p.scale, weights, p.weightRowBytes, g, gRowBytes);
        f.call(
          product,
          rows,
          frames,
          g,
          gRowBytes,
          p.keys,
          framePanelBytes,
          widthPanels,
          p.results,
          resultRowBytes,
          zeros,
          zero,
        );
        // The block's last query meets key 0 at position T - rows - at, where its first would meet key 1 - rows.
        f.set(from, i32.sub(i32.sub(frames, rows), at));
        f.call(
          product,
          rows,
          i32.sub(i32.add(frames, rows), one),
          i32.sub(g, i32.shl(i32.sub(rows, one), i32.const(2))),
          shiftedRowBytes,
          i32.add(p.table, i32.mul(from, i32.const(PANEL_BYTES))),
          tablePanelBytes,
          widthPanels,
          results2,
          resultRowBytes,
          zeros,
          zero,
        );
        f.set(to, rowAt(p.dQkv, p.dQkvRowBytes));
        f.call(
          queryGradients,
          rows,
          width,
          p.results,
          results2,
          resultRowBytes,
          p.sums,
          sumsV,
          to,
          p.dQkvRowBytes,
        );
      });
      f.call(addRows, one, width, p.sums, resultRowBytes, p.dBiasU, resultRowBytes);
      f.call(addRows, one, width, sumsV, resultRowBytes, p.dBiasV, resultRowBytes);

      inBlocks(frames, () => {
        const column = i32.shl(at, i32.const(2));
        const turned = (matrix: I32, rowBytes: I32, b: I32, which: number) => {
          f.call(
            transposedProduct,
            rows,
            frames,
            i32.add(matrix, column),
            rowBytes,
            b,
            framePanelBytes,
            widthPanels,
            p.results,
            resultRowBytes,
            zeros,
            zero,
          );
          f.set(to, part(which, rowAt(p.dQkv, p.dQkvRowBytes)));
          f.call(copyRows, rows, width, p.results, resultRowBytes, to, p.dQkvRowBytes);
        };
        turned(p.g, gRowBytes, p.queriesU, 1);
        turned(p.weights, p.weightRowBytes, p.upstream, 2);
      });

      inBlocks(positionCount, () => {
        // Queries that have a key at one of the positions
        f.set(from, positive(i32.sub(i32.sub(frames, rows), at)));
        f.set(count, i32.sub(least(frames, i32.sub(positionCount, at)), from));
        f.set(g, i32.add(p.g, i32.shl(i32.sub(i32.add(at, one), frames), i32.const(2))));
        f.call(
          transposedProduct,
          rows,
          count,
          rowAt(g, shiftedRowBytes, from),
          shiftedRowBytes,
          i32.add(p.queriesV, i32.mul(from, i32.const(PANEL_BYTES))),
          framePanelBytes,
          widthPanels,
          p.results,
          resultRowBytes,
          zeros,
          zero,
        );
        f.set(to, rowAt(p.dPositions, p.dPositionRowBytes));
        f.call(addRows, rows, width, p.results, resultRowBytes, to, p.dPositionRowBytes);
      });

      for (const rowsOfThree of [p.qkv, p.dQkv]) f.increase(rowsOfThree, i32.mul(headBytes, i32.const(3)));
      for (const each of [p.positions, p.biasU, p.biasV, p.dy, p.dPositions, p.dBiasU, p.dBiasV]) {
        f.increase(each, headBytes);
      }
      f.increase(p.weights, p.weightHeadBytes);
      f.increase(p.heads, -1);
    });
  });
}
