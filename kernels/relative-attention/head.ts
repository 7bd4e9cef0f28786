/**
 * One head of relative attention: the loop over blocks of queries, whose steps are in blocks.ts. The formulas and the
 * relative shift are in simd.ts.
 */
import { MOST_ROWS } from '../matmul/tile.js';
import type { FunctionReference, ModuleBuilder } from '../wasm/assembler.js';
import { f32, type I32, i32 } from '../wasm/expression.js';
import type { Arithmetic } from '../wasm/runtime.js';
import {
  defineAttentionSoftmax,
  defineCopyRows,
  defineProduct,
  defineScaleQueries,
  defineScaleRows,
  defineShiftQueries,
} from './blocks.js';
import { definePackColumns, definePackTransposed } from './pack.js';

/** x / 4, rounded down. */
const quarter = (x: I32): I32 => i32.shrS(x, i32.const(2));

/** A product A B of a block, of which columns 4 · `from` to 4 · `to` are computed; A and C with their row bytes. */
interface Product {
  readonly k: I32;
  readonly a: readonly [I32, I32];
  readonly b: I32;
  readonly from: I32;
  readonly to: I32;
  /** Whether onto C (not 0) or to it. */
  readonly accumulate: I32;
  readonly c: readonly [I32, I32];
}

/** Adds `attendHeads`: consecutive heads, one after another, in scratch of their own. */
export function defineRelativeAttention(module: ModuleBuilder, arithmetic: Arithmetic): void {
  const packTransposed = definePackTransposed(module);
  const packColumns = definePackColumns(module);
  const attendHead = defineAttendHead(module, arithmetic);
  module.function('attendHeads', HEADS_PARAMETERS, (f, p) => {
    const positionCount = i32.sub(i32.add(p.frames, p.keyCount), i32.const(1));
    const headBytes = f.local(i32.shl(p.width, i32.const(2)));
    f.while(i32.gtS(p.heads, i32.const(0)), () => {
      f.call(packTransposed, p.keyCount, p.width, p.k, p.kRowBytes, p.keys);
      f.if(p.table, () => {
        f.call(packTransposed, positionCount, p.width, p.positions, p.positionRowBytes, p.table);
      });
      f.call(packColumns, p.keyCount, p.width, p.v, p.vRowBytes, p.values);
      f.call(
        attendHead,
        p.frames,
        p.keyCount,
        p.width,
        f32.reinterpretI32(p.scaleBits),
        p.q,
        p.qRowBytes,
        p.biasU,
        p.biasV,
        p.keys,
        p.table,
        p.values,
        p.added,
        p.addedRowBytes,
        p.masked,
        p.map,
        p.mapRowBytes,
        p.y,
        p.yRowBytes,
        p.queries,
        i32.add(p.queries, i32.mul(p.panelRowBytes, i32.const(MOST_ROWS))),
        p.panelRowBytes,
        p.scores,
        p.scoreRowBytes,
        p.results,
        p.panelRowBytes,
        p.normalisers,
        p.zeros,
        p.zero,
      );
      for (const rows of [p.q, p.k, p.v]) f.increase(rows, p.headBytes);
      for (const rows of [p.positions, p.biasU, p.biasV, p.y]) f.increase(rows, headBytes);
      f.increase(p.map, p.mapHeadBytes);
      f.increase(p.heads, -1);
    });
  });
}

/** Operands of `attendHeads`, from the first of its heads on, and its scratch. All are integers, as threads want them. */
const HEADS_PARAMETERS = {
  heads: 'i32',
  frames: 'i32',
  keyCount: 'i32',
  width: 'i32',
  scaleBits: 'i32',
  q: 'i32',
  qRowBytes: 'i32',
  k: 'i32',
  kRowBytes: 'i32',
  v: 'i32',
  vRowBytes: 'i32',
  headBytes: 'i32',
  positions: 'i32',
  positionRowBytes: 'i32',
  biasU: 'i32',
  biasV: 'i32',
  added: 'i32',
  addedRowBytes: 'i32',
  masked: 'i32',
  map: 'i32',
  mapHeadBytes: 'i32',
  mapRowBytes: 'i32',
  y: 'i32',
  yRowBytes: 'i32',
  keys: 'i32',
  table: 'i32',
  values: 'i32',
  queries: 'i32',
  panelRowBytes: 'i32',
  scores: 'i32',
  scoreRowBytes: 'i32',
  results: 'i32',
  normalisers: 'i32',
  zeros: 'i32',
  zero: 'i32',
} as const;

/** The operands of `attendHeads` by name; `headsArguments` puts them in order. */
export type HeadsOperands = { readonly [N in keyof typeof HEADS_PARAMETERS]: number };

export const headsArguments = (operands: HeadsOperands): number[] =>
  (Object.keys(HEADS_PARAMETERS) as (keyof HeadsOperands)[]).map((name) => operands[name]);

export interface RelativeAttentionExports {
  readonly attendHeads: (...args: number[]) => void;
}

/** Adds `attendHead`: one head, block by block. */
function defineAttendHead(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  const shiftQueries = defineShiftQueries(module);
  const scaleQueries = defineScaleQueries(module);
  const copyRows = defineCopyRows(module);
  const product = defineProduct(module, arithmetic);
  const softmax = defineAttentionSoftmax(module, arithmetic, false);
  const maskedSoftmax = defineAttentionSoftmax(module, arithmetic, true);
  const scaleRows = defineScaleRows(module, false);
  const maskedScaleRows = defineScaleRows(module, true);

  return module.function(
    'attendHead',
    {
      frames: 'i32',
      keyCount: 'i32',
      width: 'i32',
      scale: 'f32',
      q: 'i32',
      qRowBytes: 'i32',
      u: 'i32',
      v: 'i32',
      keys: 'i32',
      positions: 'i32',
      values: 'i32',
      added: 'i32',
      addedRowBytes: 'i32',
      masked: 'i32',
      map: 'i32',
      mapRowBytes: 'i32',
      y: 'i32',
      yRowBytes: 'i32',
      queriesU: 'i32',
      queriesV: 'i32',
      queryRowBytes: 'i32',
      scores: 'i32',
      scoreRowBytes: 'i32',
      results: 'i32',
      resultRowBytes: 'i32',
      normalisers: 'i32',
      zeros: 'i32',
      zero: 'i32',
    },
    (f, p) => {
      const left = f.local(p.frames);
      const [rows, withAdded] = [f.declare('i32'), f.declare('i32')];
      // Positions that the block needs, in fours: `first` to `end`
      const [first, end] = [f.declare('i32'), f.declare('i32')];
      const fours = (columns: I32) => quarter(i32.add(columns, i32.const(3)));
      const multiply = ({ k, a, b, from, to, accumulate, c }: Product) =>
        f.call(product, rows, k, ...a, b, from, to, p.zeros, accumulate, ...c, p.zero);

      f.while(i32.gtS(left, i32.const(0)), () => {
        f.set(rows, evenBlock(left));
        const positional = () => {
          f.call(
            shiftQueries,
            rows,
            p.width,
            p.scale,
            p.q,
            p.qRowBytes,
            p.u,
            p.v,
            p.queriesU,
            p.queriesV,
            p.queryRowBytes,
          );

          // Query i = frames - left is the block's first. Its last, i + rows - 1, meets key 0 at position left - rows;
          // query i meets the last key at position keys + left - 2.
          f.set(first, quarter(i32.sub(left, rows)));
          f.set(end, fours(i32.sub(i32.add(p.keyCount, left), i32.const(1))));
          // Column of S for query i at the first of these positions
          const column = i32.sub(i32.shl(first, i32.const(2)), i32.sub(left, i32.const(1)));
          multiply({
            k: p.width,
            a: [p.queriesV, p.queryRowBytes],
            b: p.positions,
            from: first,
            to: end,
            accumulate: i32.const(0),
            // One float more per row: the relative shift
            c: [i32.add(p.scores, i32.shl(column, i32.const(2))), i32.add(p.scoreRowBytes, i32.const(4))],
          });
        };
        const plain = () => {
          f.call(scaleQueries, rows, p.width, p.scale, p.q, p.qRowBytes, p.queriesU, p.queryRowBytes);
          f.if(p.added, () => {
            f.call(copyRows, rows, p.keyCount, p.added, p.addedRowBytes, p.scores, p.scoreRowBytes);
            f.increase(p.added, i32.mul(rows, p.addedRowBytes));
          });
        };
        f.set(withAdded, p.added);
        f.if(p.positions, positional, plain);
        multiply({
          k: p.width,
          a: [p.queriesU, p.queryRowBytes],
          b: p.keys,
          from: i32.const(0),
          to: fours(p.keyCount),
          // Onto the scores by position, or onto what is added to plain ones
          accumulate: i32.select(i32.const(1), withAdded, p.positions),
          c: [p.scores, p.scoreRowBytes],
        });
        const scaled = {
          x: [p.scores, p.scoreRowBytes, p.masked, p.normalisers],
          map: [p.map, p.mapRowBytes],
        };
        const weigh = (exponentials: FunctionReference, scale: FunctionReference) => {
          f.call(exponentials, rows, p.keyCount, ...scaled.x);
          f.if(p.map, () => f.call(scale, rows, p.keyCount, ...scaled.x, ...scaled.map));
        };
        f.if(
          p.masked,
          () => weigh(maskedSoftmax, maskedScaleRows),
          () => weigh(softmax, scaleRows),
        );
        f.increase(p.map, i32.mul(rows, p.mapRowBytes));
        multiply({
          k: p.keyCount,
          a: [p.scores, p.scoreRowBytes],
          b: p.values,
          from: i32.const(0),
          to: fours(p.width),
          accumulate: i32.const(0),
          c: [p.results, p.resultRowBytes],
        });
        f.call(
          scaleRows,
          rows,
          p.width,
          p.results,
          p.resultRowBytes,
          p.masked,
          p.normalisers,
          p.y,
          p.yRowBytes,
        );
        f.increase(p.q, i32.mul(rows, p.qRowBytes));
        f.increase(p.y, i32.mul(rows, p.yRowBytes));
        f.set(left, i32.sub(left, rows));
      });
    },
    false,
  );
}

/** Rows of the next block where `left` are to be shared out as evenly as blocks allow: 6 = 3 + 3. */
function evenBlock(left: I32): I32 {
  const over = (x: I32, y: I32) => i32.divS(i32.sub(i32.add(x, y), i32.const(1)), y);
  return over(left, over(left, i32.const(MOST_ROWS)));
}
