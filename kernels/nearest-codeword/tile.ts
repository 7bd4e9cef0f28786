/**
 * The inner loops: tiles of 4 rows by 8 columns whose sums stay in registers.
 *
 *   integers  scores of frames and codewords: `dot_i16x8_s` multiplies 8 pairs and adds them two by two, so a step
 *             of one load-and-splat, one product and one sum per vector takes two features where float32 takes one
 *   floats    leading coordinates of frames, at the start
 *
 * 8 sums, 2 vectors of the panel, one of a row and one product are 12 of V8's 15 registers. V8 moves the products
 * of a row next to their sums; here that is harmless, as an integer sum takes one cycle, so there are no fences.
 */
import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, type I32, i32, i32x4, type V128 } from '../wasm/expression.js';
import type { Arithmetic } from '../wasm/runtime.js';
import { PANEL, STATE, STEP_BYTES } from './layout.js';

const MOST_ROWS = 4;

/** Steps in one turn of the loop: more only where few rows leave the loop's own work uncovered. */
const UNROLL = [4, 2, 1, 1];

const TILE = {
  panels: 'i32',
  steps: 'i32',
  rows: 'i32',
  rowBytes: 'i32',
  panel: 'i32',
  halves: 'i32',
  states: 'i32',
  out: 'i32',
  outBytes: 'i32',
} as const;
type TileOperands = { readonly [N in keyof typeof TILE]: Local<'i32'> };

/** One step's product and sum, and what is stored of a sum of row `r`. */
interface TileKind {
  readonly name: string;
  add(x: V128, y: V128, sum: V128): V128;
  result(operands: TileOperands, r: number, half: number, sum: V128): V128;
}

/** score = |c|²/2 - (RL/N²) r'·c' */
const scores: TileKind = {
  name: 'scoreTile',
  add: (x, y, sum) => i32x4.add(sum, i32x4.dotI16x8S(x, y)),
  result: ({ halves, states }, r, half, sum) => {
    const factor = f32x4.loadSplat(states, STATE.bytes * r + STATE.factor);
    return f32x4.sub(f32x4.load(halves, half), f32x4.mul(factor, f32x4.convertI32x4S(sum)));
  },
};

const coordinates = ({ madd }: Arithmetic): TileKind => ({
  name: 'coordinateTile',
  add: madd,
  result: (_, __, ___, sum) => sum,
});

/** Adds `<name><rows>`: so many rows times some panels, one after the other. */
function defineTile(module: ModuleBuilder, { name, add, result }: TileKind, rows: number): FunctionReference {
  const unroll = UNROLL[rows - 1]!;
  const write = (f: FunctionBuilder, operands: TileOperands): void => {
    const { panels, steps, rowBytes, panel, halves, out, outBytes } = operands;
    const apart = (start: Local<'i32'>, bytes: I32) =>
      Array.from({ length: rows }, (_, r) =>
        r === 0 ? start : f.local(i32.add(start, i32.mul(bytes, i32.const(r)))),
      );
    const [rowOf, outOf] = [apart(operands.rows, rowBytes), apart(out, outBytes)];
    const sums = Array.from({ length: rows }, () => [f.declare('v128'), f.declare('v128')] as const);
    const [left, right, x] = [f.declare('v128'), f.declare('v128'), f.declare('v128')];
    const end = f.declare('i32');
    const back = f.local(i32.mul(steps, i32.const(-4)));

    const take = (count: number): void => {
      for (let s = 0; s < count; s++) {
        f.set(left, f32x4.load(panel, STEP_BYTES * s));
        f.set(right, f32x4.load(panel, STEP_BYTES * s + 16));
        sums.forEach(([a, b], r) => {
          f.set(x, f32x4.loadSplat(rowOf[r]!, 4 * s));
          f.set(a, add(x, left, a));
          f.set(b, add(x, right, b));
        });
      }
      f.increase(panel, STEP_BYTES * count);
      for (const row of rowOf) f.increase(row, 4 * count);
    };

    f.while(i32.gtS(panels, i32.const(0)), () => {
      for (const halfSums of sums) for (const sum of halfSums) f.set(sum, i32x4.constSplat(0));
      f.set(end, i32.add(panel, i32.mul(steps, i32.const(STEP_BYTES))));
      f.while(i32.leS(panel, i32.sub(end, i32.const(STEP_BYTES * unroll))), () => take(unroll));
      if (unroll > 1) f.while(i32.ltS(panel, end), () => take(1));
      sums.forEach((halfSums, r) => {
        halfSums.forEach((sum, i) => {
          f.store(outOf[r]!, result(operands, r, 16 * i, sum), 16 * i);
        });
      });
      for (const row of rowOf) f.increase(row, back);
      for (const row of outOf) f.increase(row, 4 * PANEL);
      f.increase(halves, 4 * PANEL);
      f.increase(panels, -1);
    });
  };
  return module.function(`${name}${rows}`, TILE, write, false);
}

/** Bytes of panels that go through all rows together: half of a first-level cache of 32 KiB. */
const GROUP_BYTES = 16384;

/**
 * Adds `name`: rows [frames, steps] times panels [panels][steps][8] to out [frames, 8 · panels]. Groups of panels are the
 * outer loop: each is read once from memory, and the rows come from the first or second cache.
 */
function defineSweep(module: ModuleBuilder, name: string, kind: TileKind): void {
  const tiles = Array.from({ length: MOST_ROWS }, (_, r) => defineTile(module, kind, r + 1));
  module.function(name, { frames: 'i32', ...TILE }, (f, p) => {
    const left = f.declare('i32');
    const [row, state, to] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
    const panelBytes = f.local(i32.mul(p.steps, i32.const(STEP_BYTES)));
    const most = f.local(i32.add(i32.divS(i32.const(GROUP_BYTES), panelBytes), i32.const(1)));
    const group = f.declare('i32');
    const tile = (rows: number) => {
      const { steps, rowBytes, panel, halves, outBytes } = p;
      f.call(tiles[rows - 1]!, group, steps, row, rowBytes, panel, halves, state, to, outBytes);
    };
    f.while(i32.gtS(p.panels, i32.const(0)), () => {
      f.set(group, i32.select(most, p.panels, i32.ltS(most, p.panels)));
      f.set(left, p.frames);
      f.set(row, p.rows);
      f.set(state, p.states);
      f.set(to, p.out);
      f.while(i32.geS(left, i32.const(MOST_ROWS)), () => {
        tile(MOST_ROWS);
        f.increase(row, i32.mul(p.rowBytes, i32.const(MOST_ROWS)));
        f.increase(state, MOST_ROWS * STATE.bytes);
        f.increase(to, i32.mul(p.outBytes, i32.const(MOST_ROWS)));
        f.increase(left, -MOST_ROWS);
      });
      for (let rows = 1; rows < MOST_ROWS; rows++) {
        f.if(i32.eq(left, i32.const(rows)), () => tile(rows));
      }
      f.increase(p.panel, i32.mul(group, panelBytes));
      f.increase(p.halves, i32.mul(group, i32.const(4 * PANEL)));
      f.increase(p.out, i32.mul(group, i32.const(4 * PANEL)));
      f.set(p.panels, i32.sub(p.panels, group));
    });
  });
}

/** The two sweeps, exported; `halves` and `states` are for scores only. */
export function defineSweeps(module: ModuleBuilder, arithmetic: Arithmetic): void {
  defineSweep(module, 'scoreFrames', scores);
  defineSweep(module, 'projectFrames', coordinates(arithmetic));
}

export type Sweep = (
  frames: number,
  panels: number,
  steps: number,
  rows: number,
  rowBytes: number,
  panel: number,
  halves: number,
  states: number,
  out: number,
  outBytes: number,
) => void;
