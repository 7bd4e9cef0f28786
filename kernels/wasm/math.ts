/**
 * Exponential and logarithm of four numbers at a time, by polynomials. Written into the kernel that uses
 * them, because a call costs as much as the arithmetic.
 */
import type { FunctionBuilder } from './assembler.js';
import { f32x4, i32, i32x4, type V128, v128 } from './expression.js';
import type { Arithmetic } from './runtime.js';

/** 1.5 · 2²³ + 127: adding it rounds a small number to an integer, which then stands, plus 127, in the low bits. */
const ROUND = 12582912 + 127;
/** ln 2 in two parts; the high one has 9 bits, so n · high is exact. */
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.1219444e-4;
/** n = -127 and 128 there: their exponent fields 0 and 255 read as 0 and ∞. */
const LEAST = -88;
const MOST = 88.8;
/** exp(r) = 1 + r + r² q(r) for |r| <= ln 2 / 2, relative error 3.1e-9: minimax. Highest power first. */
const EXP = [1.381454e-3, 8.3687451e-3, 4.166839e-2, 1.66665204e-1, 4.99999934e-1];

const constant = (value: number): V128 => f32x4.constSplat(value);

/**
 * exp(x) of four numbers, relative error below 1e-7; 0 below -87.7 (results that would be subnormal are 0), ∞ from
 * 88.4 on (a little early), NaN for NaN. exp(x) = 2ⁿ exp(x - n ln 2); n + 127 is the exponent field of 2ⁿ.
 */
export function exp(f: FunctionBuilder, arithmetic: Arithmetic, argument: V128): V128 {
  // The argument stands first: pmin and pmax keep its NaN.
  return expNegative(f, arithmetic, f32x4.pmin(argument, constant(MOST)));
}

/** The same where no argument is above 88, as in a softmax, whose arguments are at most 0. */
export function expNegative(f: FunctionBuilder, { madd, nmadd }: Arithmetic, argument: V128): V128 {
  const x = f.local(f32x4.pmax(argument, constant(LEAST)));
  const rounded = f.local(madd(x, constant(Math.LOG2E), constant(ROUND)));
  const n = f.local(f32x4.sub(rounded, constant(ROUND)));
  const r = f.local(nmadd(n, constant(LN2_LOW), nmadd(n, constant(LN2_HIGH), x)));
  const q = f.local(constant(EXP[0] as number));
  for (const coefficient of EXP.slice(1)) f.set(q, madd(q, r, constant(coefficient)));
  const value = f32x4.add(madd(q, f32x4.mul(r, r), r), constant(1));
  // The bits above n + 127 are shifted out.
  return f32x4.mul(value, i32x4.shl(rounded, i32.const(23)));
}

/** 1 / (1 + exp(-x)) */
export const sigmoid = (f: FunctionBuilder, arithmetic: Arithmetic, x: V128): V128 =>
  f32x4.div(constant(1), f32x4.add(constant(1), exp(f, arithmetic, f32x4.neg(x))));

/** x / (1 + exp(-x)); `x` is used twice, so hand in a local. */
export const swish = (f: FunctionBuilder, arithmetic: Arithmetic, x: V128): V128 =>
  f32x4.div(x, f32x4.add(constant(1), exp(f, arithmetic, f32x4.neg(x))));

/** log(1 + m) = m - m²/2 + m³ p(m) for √½ - 1 <= m <= √2 - 1: minimax, Cephes logf. Highest power first. */
const LOG = [
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
];
const SQRT_HALF_BITS = 0x3f3504f3;

/**
 * Natural logarithm of four normal positive numbers, error below 1e-7 of the result or of 1, whichever is
 * larger. x = 2ᵉ (1 + m) with 1 + m between √½ and √2. Zero, negative numbers and NaN are the caller's.
 */
export function log(f: FunctionBuilder, { madd }: Arithmetic, argument: V128): V128 {
  const x = f.local(argument);
  // Subtracting the bits of √½ moves the borrow into the exponent: e counts from √½, not from 1.
  const shifted = f.local(i32x4.sub(x, i32x4.constSplat(SQRT_HALF_BITS)));
  const e = f.local(f32x4.convertI32x4S(i32x4.shrS(shifted, i32.const(23))));
  const fraction = v128.and(shifted, i32x4.constSplat(0x007fffff));
  const m = f.local(f32x4.sub(i32x4.add(fraction, i32x4.constSplat(SQRT_HALF_BITS)), constant(1)));
  const p = f.local(constant(LOG[0] as number));
  for (const coefficient of LOG.slice(1)) f.set(p, madd(p, m, constant(coefficient)));
  const square = f.local(f32x4.mul(m, m));
  const tail = f.local(f32x4.mul(f32x4.mul(p, m), square));
  const low = madd(e, constant(LN2_LOW), madd(square, constant(-0.5), tail));
  return madd(e, constant(LN2_HIGH), f32x4.add(m, low));
}
