/**
 * Complex Fourier transforms of four signals at a time, one in each lane of a vector: what a scalar program does
 * to numbers, this does to vectors, so no number ever has to change its lane.
 *
 *   X[f] = Σ_n x[n] exp(-2πi f n / N),  N = 2ᵃ 3ᵇ 5ᶜ
 *
 * A number x[n] is four real parts and then four imaginary parts, 32 bytes. Stockham's algorithm: every pass takes
 * one factor r of N from one array to another, and the last one leaves the spectrum in its natural order. With n the
 * length that is left and s the product of the factors done, a pass computes for p < n / r, q < s, j < r
 *
 *   y[q + s (r p + j)] = exp(-2πi p j / n) Σ_k x[q + s (p + k n / r)] exp(-2πi j k / r)
 *
 * Source: Stockham 1966; Van Loan, Computational Frameworks for the Fast Fourier Transform, 1992, 1.7 and 2.1.
 */
import type { FunctionBuilder, FunctionReference, Local, ModuleBuilder } from '../wasm/assembler.js';
import { f32x4, type I32, i32, type V128 } from '../wasm/expression.js';
import type { Arithmetic } from '../wasm/runtime.js';

/** Bytes of a complex number in four lanes: real parts, then imaginary parts. */
export const COMPLEX_BYTES = 32;
const IMAGINARY = 16;

interface Complex {
  readonly re: V128;
  readonly im: V128;
}

/** Factors that passes take; 8 and 2 only in the last one. */
const RADICES = [4, 3, 5, 8, 2] as const;
type Radix = (typeof RADICES)[number];

/**
 * The factors of a length, one pass each; null where it has another prime factor than 2, 3 and 5. What is left of an
 * odd power of two goes last, where it needs no twiddle factors: 8 in place of 4 · 2 saves a pass over the memory.
 */
export function factorsOf(length: number): Radix[] | null {
  const factors: Radix[] = [];
  let left = length;
  const take = (radix: Radix) => {
    factors.push(radix);
    left /= radix;
  };
  let twos = 0;
  while (length % 2 ** (twos + 1) === 0) twos++;
  const last = twos % 2 === 0 ? 1 : twos === 1 ? 2 : 8;
  while ((left / last) % 4 === 0) take(4);
  while (left % 3 === 0) take(3);
  while (left % 5 === 0) take(5);
  if (last !== 1) take(last);
  return left === 1 ? factors : null;
}

/** Floats (or 32-bit integers) of one pass in the table of passes. */
const PASS_WORDS = 5;

/** Words that `writePasses` writes. */
export function passesLength(length: number, factors: readonly number[]): number {
  let [words, left] = [1, length];
  for (const radix of factors) {
    left /= radix;
    words += PASS_WORDS + 2 * (radix - 1) * (left - 1);
  }
  return words;
}

/**
 * Writes the passes of a transform at word `at` of the kernels' memory: for each pass its radix, the bytes from one
 * operand of a butterfly to the next, the same for its results, the number of p, and the address of its twiddle
 * factors exp(-2πi p j / n) [p = 1 ..][j = 1 .. r - 1][2]; then a radix of 0; then all twiddle factors.
 */
export function writePasses(
  buffer: ArrayBufferLike,
  at: number,
  length: number,
  factors: readonly number[],
): void {
  const [integers, floats] = [new Int32Array(buffer), new Float32Array(buffer)];
  let [pass, twiddle] = [at, at + PASS_WORDS * factors.length + 1];
  let [left, done] = [length, 1];
  for (const radix of factors) {
    const groups = left / radix;
    const words = [radix, (COMPLEX_BYTES * length) / radix, COMPLEX_BYTES * done, groups, 4 * twiddle];
    for (const word of words) integers[pass++] = word;
    for (let p = 1; p < groups; p++) {
      for (let j = 1; j < radix; j++) {
        const angle = (-2 * Math.PI * p * j) / left;
        floats[twiddle++] = Math.cos(angle);
        floats[twiddle++] = Math.sin(angle);
      }
    }
    left = groups;
    done *= radix;
  }
  integers[pass] = 0;
}

/** Σ_k a[k] exp(-2πi j k / r) for j = 0 .. r - 1. */
type Butterfly = (f: FunctionBuilder, arithmetic: Arithmetic, a: readonly Complex[]) => Complex[];

const kept = (f: FunctionBuilder, { re, im }: Complex): Complex => ({ re: f.local(re), im: f.local(im) });
const add = (f: FunctionBuilder, a: Complex, b: Complex): Complex =>
  kept(f, { re: f32x4.add(a.re, b.re), im: f32x4.add(a.im, b.im) });
const subtract = (f: FunctionBuilder, a: Complex, b: Complex): Complex =>
  kept(f, { re: f32x4.sub(a.re, b.re), im: f32x4.sub(a.im, b.im) });
/** a - i b, and a + i b: a quarter turn costs nothing. */
const addTurned = (a: Complex, b: Complex): Complex => ({
  re: f32x4.add(a.re, b.im),
  im: f32x4.sub(a.im, b.re),
});
const subtractTurned = (a: Complex, b: Complex): Complex => ({
  re: f32x4.sub(a.re, b.im),
  im: f32x4.add(a.im, b.re),
});

const constant = (value: number): V128 => f32x4.constSplat(value);

const butterflies: Readonly<Record<Radix, Butterfly>> = {
  2: (f, _, [a, b]) => [add(f, a!, b!), subtract(f, a!, b!)],

  4: (f, _, [a, b, c, d]) => {
    const [even, odd] = [add(f, a!, c!), add(f, b!, d!)];
    const [evenDifference, oddDifference] = [subtract(f, a!, c!), subtract(f, b!, d!)];
    return [
      add(f, even, odd),
      addTurned(evenDifference, oddDifference),
      subtract(f, even, odd),
      subtractTurned(evenDifference, oddDifference),
    ];
  },

  8: (f, arithmetic, a) => {
    const four = (operands: readonly Complex[]) =>
      butterflies[4](f, arithmetic, operands).map((result) => kept(f, result));
    const [e0, e1, e2, e3] = four(a.filter((_, k) => k % 2 === 0));
    const [o0, o1, o2, o3] = four(a.filter((_, k) => k % 2 === 1));
    // exp(-πi / 4) o1, and minus exp(-3πi / 4) o3
    const scaled = (re: V128, im: V128): Complex =>
      kept(f, { re: f32x4.mul(constant(Math.SQRT1_2), re), im: f32x4.mul(constant(Math.SQRT1_2), im) });
    const turned1 = scaled(f32x4.add(o1!.re, o1!.im), f32x4.sub(o1!.im, o1!.re));
    const turned3 = scaled(f32x4.sub(o3!.re, o3!.im), f32x4.add(o3!.re, o3!.im));
    return [
      add(f, e0!, o0!),
      add(f, e1!, turned1),
      addTurned(e2!, o2!),
      subtract(f, e3!, turned3),
      subtract(f, e0!, o0!),
      subtract(f, e1!, turned1),
      subtractTurned(e2!, o2!),
      add(f, e3!, turned3),
    ];
  },

  3: (f, { nmadd }, [a, b, c]) => {
    const [sum, difference] = [add(f, b!, c!), subtract(f, b!, c!)];
    // cos(2π/3) = -1/2
    const middle = kept(f, {
      re: nmadd(constant(0.5), sum.re, a!.re),
      im: nmadd(constant(0.5), sum.im, a!.im),
    });
    const sine = constant(Math.sin((2 * Math.PI) / 3));
    const turned = kept(f, { re: f32x4.mul(sine, difference.re), im: f32x4.mul(sine, difference.im) });
    return [add(f, a!, sum), addTurned(middle, turned), subtractTurned(middle, turned)];
  },

  5: (f, { madd, nmadd }, [a, b, c, d, e]) => {
    const [sum1, sum2] = [add(f, b!, e!), add(f, c!, d!)];
    const [difference1, difference2] = [subtract(f, b!, e!), subtract(f, c!, d!)];
    const [cos1, cos2] = [1, 2].map((k) => constant(Math.cos((2 * Math.PI * k) / 5))) as [V128, V128];
    const [sin1, sin2] = [1, 2].map((k) => constant(Math.sin((2 * Math.PI * k) / 5))) as [V128, V128];
    const each = (part: (of: 're' | 'im') => V128): Complex => kept(f, { re: part('re'), im: part('im') });
    const middle1 = each((of) => madd(cos2, sum2[of], madd(cos1, sum1[of], a![of])));
    const middle2 = each((of) => madd(cos1, sum2[of], madd(cos2, sum1[of], a![of])));
    const turned1 = each((of) => madd(sin2, difference2[of], f32x4.mul(sin1, difference1[of])));
    const turned2 = each((of) => nmadd(sin1, difference2[of], f32x4.mul(sin2, difference1[of])));
    return [
      add(f, a!, add(f, sum1, sum2)),
      addTurned(middle1, turned1),
      addTurned(middle2, turned2),
      subtractTurned(middle2, turned2),
      subtractTurned(middle1, turned1),
    ];
  },
};

/**
 * Adds one pass; see `writePasses` for its parameters. Operands follow one another from butterfly to butterfly, in
 * all passes `stepBytes` apart; where p = 0 every twiddle factor is 1.
 */
function definePass(module: ModuleBuilder, arithmetic: Arithmetic, radix: Radix): FunctionReference {
  const { madd, nmadd } = arithmetic;
  const twiddleBytes = 8 * (radix - 1);
  return module.function(
    `fourierRadix${radix}`,
    { x: 'i32', y: 'i32', stepBytes: 'i32', strideBytes: 'i32', groups: 'i32', twiddles: 'i32' },
    (f, { x, y, stepBytes, strideBytes, groups, twiddles }) => {
      const butterfly = (twiddled: boolean): void => {
        const operands = addresses(f, x, stepBytes, radix).map((at) =>
          kept(f, { re: f32x4.load(at), im: f32x4.load(at, IMAGINARY) }),
        );
        const to = addresses(f, y, strideBytes, radix);
        butterflies[radix](f, arithmetic, operands).forEach((result, j) => {
          let { re, im } = result;
          if (twiddled && j > 0) {
            const cos = f.local(f32x4.loadSplat(twiddles, 8 * j - 8));
            const sin = f.local(f32x4.loadSplat(twiddles, 8 * j - 4));
            const turned = kept(f, result);
            re = nmadd(sin, turned.im, f32x4.mul(cos, turned.re));
            im = madd(sin, turned.re, f32x4.mul(cos, turned.im));
          }
          f.store(to[j]!, re);
          f.store(to[j]!, im, IMAGINARY);
        });
      };

      const end = f.local(i32.add(x, strideBytes));
      f.while(i32.ltS(x, end), () => {
        butterfly(false);
        f.increase(x, COMPLEX_BYTES);
        f.increase(y, COMPLEX_BYTES);
      });
      // Radix 2 and 8 do only the last pass, where there is no other p.
      if (radix === 2 || radix === 8) return;

      const skipped = f.local(i32.mul(strideBytes, i32.const(radix - 1)));
      f.increase(y, skipped);
      const last = f.local(i32.add(x, i32.mul(strideBytes, i32.sub(groups, i32.const(1)))));
      const group = (inner: (body: () => void) => void): void => {
        f.while(i32.ltS(x, last), () => {
          inner(() => {
            butterfly(true);
            f.increase(x, COMPLEX_BYTES);
            f.increase(y, COMPLEX_BYTES);
          });
          f.increase(y, skipped);
          f.increase(twiddles, twiddleBytes);
        });
      };
      // In the first pass there is but one q.
      f.if(
        i32.eq(strideBytes, i32.const(COMPLEX_BYTES)),
        () => group((body) => body()),
        () =>
          group((body) => {
            f.set(end, i32.add(x, strideBytes));
            f.while(i32.ltS(x, end), body);
          }),
      );
    },
    false,
  );
}

/** pointer + k · step for k < count. */
function addresses(f: FunctionBuilder, pointer: I32, step: I32, count: number): I32[] {
  const all = [pointer];
  while (all.length < count) all.push(f.local(i32.add(all[all.length - 1]!, step)));
  return all;
}

/**
 * Adds the transform: `passes` as `writePasses` wrote them, from `x` by turns to `y` and back; the spectrum is in
 * `y` after an odd number of passes and in `x` after an even one.
 */
export function defineFourierLanes(module: ModuleBuilder, arithmetic: Arithmetic): FunctionReference {
  const functions = RADICES.map((radix) => ({ radix, pass: definePass(module, arithmetic, radix) }));
  return module.function(
    'fourierLanes',
    { x: 'i32', y: 'i32', passes: 'i32' },
    (f, { x, y, passes }) => {
      const radixHere = f.local(i32.load(passes));
      const other: Local<'i32'> = f.declare('i32');
      f.while(radixHere, () => {
        for (const { radix, pass } of functions) {
          f.if(i32.eq(radixHere, i32.const(radix)), () => {
            f.call(pass, x, y, ...[4, 8, 12, 16].map((offset) => i32.load(passes, offset)));
          });
        }
        f.increase(passes, 4 * PASS_WORDS);
        f.set(radixHere, i32.load(passes));
        f.set(other, x);
        f.set(x, y);
        f.set(y, other);
      });
    },
    false,
  );
}
