/**
 * What the depthwise tiles do in registers: a window of taps that slides over rows of four channels, which the tiles of
 * one and of two dimensions share.
 */
import type { FunctionBuilder, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, type I32, i32 } from '../wasm/expression.js';
import { storeLanes } from '../wasm/rows.js';
import type { Arithmetic } from '../wasm/runtime.js';

export const LANES = 4;
export const VECTOR = 16;
/** Channels of a slab: a cache line. */
export const SLAB = 16;
/** Taps of a row that are held in registers at a time, most first; the last must be 1. */
export const TAPS = [4, 2, 1] as const;

interface Window {
  /** Rows of four channels, 16 bytes apart; ends behind the taps. */
  readonly x: Local<'i32'>;
  /** Taps of four channels, 16 bytes apart; ends behind the last one. */
  readonly w: Local<'i32'>;
  /** How many there are; ends at 0. */
  readonly taps: Local<'i32'>;
  readonly zero: I32;
}

/**
 * sums[t] += Σ_i x[t + i] w[i]. So many taps as `together` says, most first and the last of them 1, are in registers at
 * a time while the inputs come by one after the other.
 */
export function slideTaps(
  f: FunctionBuilder,
  madd: Arithmetic['madd'],
  sums: readonly Local<'v128'>[],
  { x, w, taps, zero }: Window,
  together: readonly number[],
): void {
  const tap = Array.from({ length: Math.max(...together) }, () => f.declare('v128'));
  const input = f.declare('v128');
  for (const count of together) {
    f.while(i32.geS(taps, i32.const(count)), () => {
      for (let i = 0; i < count; i++) f.set(tap[i]!, f32x4.load(w, VECTOR * i));
      // The taps must be in registers before the inputs come; between these, the sums do not wait for one another.
      f.fence(zero);
      // Input t meets tap i in output t - i.
      for (let t = 0; t < sums.length + count - 1; t++) {
        f.set(input, f32x4.load(x, VECTOR * t));
        for (let i = 0; i < count; i++) {
          const sum = sums[t - i];
          if (sum) f.set(sum, madd(input, tap[i]!, sum));
        }
      }
      f.increase(x, VECTOR * count);
      f.increase(w, VECTOR * count);
      f.increase(taps, -count);
    });
  }
}

/** Writes the first `frames` of the sums and the first `channels` lanes of each, `yRowBytes` apart. */
export function storeFrames(
  f: FunctionBuilder,
  sums: readonly Local<'v128'>[],
  y: Local<'i32'>,
  yRowBytes: I32,
  frames: I32,
  channels: I32,
): void {
  const whole = i32.geS(channels, i32.const(LANES));
  sums.forEach((sum, t) => {
    f.if(i32.gtS(frames, i32.const(t)), () => {
      f.if(
        whole,
        () => f.store(y, sum),
        () => storeLanes(f, y, sum, channels),
      );
    });
    f.increase(y, yRowBytes);
  });
}

export type GatherChannels = (
  frames: number,
  groups: number,
  x: number,
  xRowBytes: number,
  to: number,
  groupBytes: number,
) => void;

/**
 * Adds a function that copies X [frames, 4 · groups] to scratch, group after group `groupBytes` apart; the zeros around it
 * are there already.
 */
export function defineGather(module: ModuleBuilder, name: string): void {
  module.function(
    name,
    { frames: 'i32', groups: 'i32', x: 'i32', xRowBytes: 'i32', to: 'i32', groupBytes: 'i32' },
    (f, { frames, groups, x, xRowBytes, to, groupBytes }) => {
      const [left, at, from] = [f.declare('i32'), f.declare('i32'), f.declare('i32')];
      f.while(i32.gtS(frames, i32.const(0)), () => {
        f.set(left, groups);
        f.set(at, to);
        f.set(from, x);
        f.while(i32.gtS(left, i32.const(0)), () => {
          f.store(at, f32x4.load(from));
          f.increase(at, groupBytes);
          f.increase(from, VECTOR);
          f.increase(left, -1);
        });
        f.increase(x, xRowBytes);
        f.increase(to, VECTOR);
        f.increase(frames, -1);
      });
    },
  );
}
