/** The polynomials of kernels/wasm/math.ts, run over millions of arguments against Math.exp and Math.log. */
import '../support/relaxed.js';
import t from 'tap';
import type { FunctionBuilder, Local } from '../../kernels/wasm/assembler.js';
import { f32x4, i32, type V128 } from '../../kernels/wasm/expression.js';
import { exp, expNegative, log, sigmoid, swish } from '../../kernels/wasm/math.js';
import { type Arithmetic, assemble } from '../../kernels/wasm/runtime.js';

type Formula = (f: FunctionBuilder, arithmetic: Arithmetic, x: Local<'v128'>) => V128;

const BATCH = 4096;
const PAGES = { pages: 1, shared: false };

/** y = formula(x) for many numbers, as a function on arrays; null where the engine can't. */
function compile(formula: Formula, variant: 'simd' | 'relaxed'): ((x: Float32Array) => Float32Array) | null {
  const bytes = assemble(
    'math',
    [
      (module, arithmetic) =>
        module.function('apply', { from: 'i32', to: 'i32' }, (f, { from, to }) => {
          const end = f.local(i32.add(from, i32.const(4 * BATCH)));
          f.while(i32.ltS(from, end), () => {
            const x = f.local(f32x4.load(from));
            f.store(to, formula(f, arithmetic, x));
            f.increase(from, 16);
            f.increase(to, 16);
          });
        }),
    ],
    variant,
    PAGES,
  );
  if (!WebAssembly.validate(bytes)) return null;
  const memory = new WebAssembly.Memory({ initial: PAGES.pages });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  const apply = exports['apply'] as (from: number, to: number) => void;
  const floats = new Float32Array(memory.buffer);
  return (x) => {
    const y = new Float32Array(x.length);
    for (let i = 0; i < x.length; i += BATCH) {
      floats.set(x.subarray(i, i + BATCH));
      apply(0, 4 * BATCH);
      y.set(floats.subarray(BATCH, BATCH + Math.min(BATCH, x.length - i)), i);
    }
    return y;
  };
}

const MANY = 1 << 22;
/** Numbers from `low` to `high` at even distances. */
const evenly = (low: number, high: number) =>
  Float32Array.from({ length: MANY }, (_, i) => low + ((high - low) * i) / (MANY - 1));
/** Positive normal numbers at even distances of their bits: every exponent gets its share. */
const everyExponent = () => {
  const bits = new Int32Array(MANY);
  for (let i = 0; i < MANY; i++) bits[i] = 0x00800000 + Math.floor((i / MANY) * (0x7f800000 - 0x00800000));
  return new Float32Array(bits.buffer);
};

/** The largest error of y, relative to the truth or to `floor`, whichever is larger. */
function worst(x: Float32Array, y: Float32Array, truth: (x: number) => number, floor: number): number {
  let largest = 0;
  for (let i = 0; i < x.length; i++) {
    const exact = truth(x[i]!);
    const error = Math.abs(y[i]! - exact) / Math.max(Math.abs(exact), floor);
    if (!(error <= largest)) largest = error;
  }
  return largest;
}

const ACCURACY = [
  { name: 'exp', formula: exp, truth: Math.exp, x: evenly(-87.3, 88.3), floor: 0, bound: 1e-7 },
  { name: 'expNegative', formula: expNegative, truth: Math.exp, x: evenly(-87.3, 0), floor: 0, bound: 1e-7 },
  { name: 'log', formula: log, truth: Math.log, x: everyExponent(), floor: 1, bound: 1e-7 },
  {
    name: 'sigmoid',
    formula: sigmoid,
    truth: (x: number) => 1 / (1 + Math.exp(-x)),
    x: evenly(-86, 86),
    floor: 0,
    bound: 2.5e-7,
  },
  {
    name: 'swish',
    formula: swish,
    truth: (x: number) => x / (1 + Math.exp(-x)),
    x: evenly(-86, 86),
    floor: 0,
    bound: 2.5e-7,
  },
];

for (const variant of ['simd', 'relaxed'] as const) {
  for (const { name, formula, truth, x, floor, bound } of ACCURACY) {
    const apply = compile(formula, variant);
    const what = `${name}, ${variant}: error below ${bound} over ${MANY} arguments`;
    t.test(what, { skip: apply === null && 'this engine has no relaxed SIMD' }, async (t) => {
      const error = worst(x, apply!(x), truth, floor);
      t.ok(error < bound, `worst ${error.toExponential(2)}`);
    });
  }
}

t.test('the ends of the range, and what is no number', async (t) => {
  const [most, least] = [3.4028234663852886e38, -3.4028234663852886e38];
  const of = (formula: Formula, x: readonly number[]) => [...compile(formula, 'simd')!(Float32Array.from(x))];
  t.same(of(exp, [0, -0, Infinity, -Infinity, Number.NaN]), [1, 1, Infinity, 0, Number.NaN]);
  t.same(of(exp, [most, least, 89, -88, 1e-45]), [Infinity, 0, Infinity, 0, 1]);
  t.same(of(expNegative, [0, -0, -Infinity, Number.NaN, least]), [1, 1, 0, Number.NaN, 0]);
  t.same(of(log, [1]), [0]);
  t.same(of(sigmoid, [0, Infinity, -Infinity, Number.NaN, 100, -100]), [0.5, 1, 0, Number.NaN, 1, 0]);
  t.same(of(swish, [0, Infinity, 100, Number.NaN]), [0, Infinity, 100, Number.NaN]);
  // As the formula says: -∞ / (1 + ∞)
  t.same(of(swish, [-Infinity]), [Number.NaN]);
});

t.test('exp rises, and is 1 at 0', async (t) => {
  const apply = compile(exp, 'simd')!;
  const x = evenly(-88, 88);
  const y = apply(x);
  let falls = 0;
  for (let i = 1; i < y.length; i++) if (y[i]! < y[i - 1]! * (1 - 1.2e-7)) falls++;
  t.equal(falls, 0, 'never falls by more than a last bit');
});
