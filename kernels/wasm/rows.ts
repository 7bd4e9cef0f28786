/**
 * Rows of floats, four at a time. A row need not be a multiple of four long: loads may read past its end (the
 * memory has a margin for that), stores may not, and sums must not count what lies there.
 */
import type { FunctionBuilder, Local } from './assembler.js';
import { f32x4, type I32, i32, i32x4, type V128, v128 } from './expression.js';

/** Bytes of a vector. */
export const VECTOR = 16;
const LANES = 4;

/** All ones in the first `count` lanes, zeros above. */
export const firstLanes = (count: I32): V128 => i32x4.gtS(i32x4.splat(count), i32x4.const(0, 1, 2, 3));

/** The first `count` lanes of `x`, `other` above. */
export const lanesOr = (count: I32, x: V128, other: V128): V128 =>
  v128.bitselect(x, other, firstLanes(count));

/** Writes the first `count` lanes of `value`, 1 to 3. */
export function storeLanes(f: FunctionBuilder, pointer: I32, value: Local<'v128'>, count: I32): void {
  f.store(pointer, f32x4.extractLane(value, 0));
  f.if(i32.gtS(count, i32.const(1)), () => f.store(pointer, f32x4.extractLane(value, 1), 4));
  f.if(i32.gtS(count, i32.const(2)), () => f.store(pointer, f32x4.extractLane(value, 2), 8));
}

/**
 * Walks along `columns` numbers: `vector(bytes, chain)` for each four of them, `bytes` past the pointers, and
 * `tail(count)` once for the last 1 to 3, at the pointers. The loop is unrolled `chains` times, and `chain`
 * counts the copies, so that each can have a sum of its own. Pointers end behind the last whole vector.
 */
export function walkRow(
  f: FunctionBuilder,
  columns: I32,
  pointers: readonly Local<'i32'>[],
  chains: number,
  vector: (bytes: number, chain: number) => void,
  tail: (count: Local<'i32'>) => void,
): void {
  const left = f.local(columns);
  const loop = (vectors: number): void => {
    f.while(i32.geS(left, i32.const(LANES * vectors)), () => {
      for (let v = 0; v < vectors; v++) vector(VECTOR * v, v);
      for (const pointer of pointers) f.increase(pointer, VECTOR * vectors);
      f.increase(left, -LANES * vectors);
    });
  };
  loop(chains);
  if (chains > 1) loop(1);
  f.if(left, () => tail(left));
}

/** y = map(inputs) along rows of `columns` numbers, which may be the same memory. */
export function mapRow(
  f: FunctionBuilder,
  columns: I32,
  inputs: readonly I32[],
  y: I32,
  map: (...vectors: Local<'v128'>[]) => V128,
  unroll = 4,
): void {
  const from = inputs.map((input) => f.local(input));
  const to = f.local(y);
  const vectors = inputs.map(() => f.declare('v128'));
  const mapped = (bytes: number): V128 => {
    from.forEach((pointer, i) => {
      f.set(vectors[i]!, f32x4.load(pointer, bytes));
    });
    return map(...vectors);
  };
  walkRow(
    f,
    columns,
    [...from, to],
    unroll,
    (bytes) => f.store(to, mapped(bytes), bytes),
    (count) => storeLanes(f, to, f.local(mapped(0)), count),
  );
}

/** A vector for each chain of `walkRow`, holding `initial`. */
export const chainsOf = (f: FunctionBuilder, chains: number, initial: V128): Local<'v128'>[] =>
  Array.from({ length: chains }, () => f.local(initial));

/** Folds the chains into one vector. */
export const foldChains = (chains: readonly Local<'v128'>[], combine: (a: V128, b: V128) => V128): V128 =>
  chains.reduce<V128 | null>((a, b) => (a === null ? b : combine(a, b)), null) as V128;

/** Combines the four lanes of `x`: the result stands in every lane. */
export function foldLanes(f: FunctionBuilder, x: Local<'v128'>, combine: (a: V128, b: V128) => V128): V128 {
  f.set(x, combine(x, f32x4.shuffle(x, x, [2, 3, 0, 1])));
  return combine(x, f32x4.shuffle(x, x, [1, 0, 3, 2]));
}

/** Numbers that one call of an inner function covers, where a row may be of any length. */
const PART = 8192;

/**
 * Calls an inner function for parts of `n` numbers: `call(count)`, then the pointers move on. Engines replace a
 * function by its optimised code only when it is called, so a loop over a million numbers must not be one call.
 */
export function inParts(
  f: FunctionBuilder,
  n: Local<'i32'>,
  pointers: readonly Local<'i32'>[],
  call: (count: I32) => void,
): void {
  f.while(i32.gtS(n, i32.const(0)), () => {
    call(i32.select(n, i32.const(PART), i32.ltS(n, i32.const(PART))));
    for (const pointer of pointers) f.increase(pointer, 4 * PART);
    f.increase(n, -PART);
  });
}
