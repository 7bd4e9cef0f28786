/** The assembler: what it writes is valid, does what it says, and what is ill-typed is refused by name. */
import fc from 'fast-check';
import t from 'tap';
import { assembleAllKernels, kernelSpecs } from '../../kernels/index.js';
import { callValue, type FunctionBuilder, ModuleBuilder } from '../../kernels/wasm/assembler.js';
import {
  type Expression,
  f32,
  f32x4,
  f64,
  type I32,
  i32,
  i32x4,
  type V128,
  type ValueType,
  v128,
} from '../../kernels/wasm/expression.js';
import { assemble } from '../../kernels/wasm/runtime.js';

const memory = new WebAssembly.Memory({ initial: 1 });
const limits = { pages: 1, shared: false };
type Exported = (...args: number[]) => number;

function run(module: ModuleBuilder): Record<string, Exported> {
  const bytes = module.bytes(limits);
  if (!WebAssembly.validate(bytes)) throw new Error(`${module.name} is not valid`);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return instance.exports as Record<string, Exported>;
}

/** A function of two numbers of a type that gives a number of a type. */
function binary<P extends 'i32' | 'f32' | 'f64', R extends 'i32' | 'f32' | 'f64'>(
  type: P,
  result: R,
  formula: (a: Expression<P>, b: Expression<P>) => Expression<R>,
): Exported {
  const module = new ModuleBuilder('binary');
  module.functionOf('f', { a: type, b: type }, result, (_, { a, b }) => formula(a, b));
  return run(module)['f']!;
}

t.test('integer instructions do what JavaScript does', async (t) => {
  const cases: readonly (readonly [string, (a: I32, b: I32) => I32, (a: number, b: number) => number])[] = [
    ['add', i32.add, (a, b) => (a + b) | 0],
    ['sub', i32.sub, (a, b) => (a - b) | 0],
    ['mul', i32.mul, Math.imul],
    ['and', i32.and, (a, b) => a & b],
    ['or', i32.or, (a, b) => a | b],
    ['xor', i32.xor, (a, b) => a ^ b],
    ['shl', i32.shl, (a, b) => a << b],
    ['shrS', i32.shrS, (a, b) => a >> b],
    ['shrU', i32.shrU, (a, b) => (a >>> b) | 0],
    ['eq', i32.eq, (a, b) => Number(a === b)],
    ['ne', i32.ne, (a, b) => Number(a !== b)],
    ['ltS', i32.ltS, (a, b) => Number(a < b)],
    ['gtS', i32.gtS, (a, b) => Number(a > b)],
    ['leS', i32.leS, (a, b) => Number(a <= b)],
    ['geS', i32.geS, (a, b) => Number(a >= b)],
    ['eqz', (a) => i32.eqz(a), (a) => Number(a === 0)],
    ['select', (a, b) => i32.select(a, b, i32.gtS(a, b)), Math.max],
  ];
  for (const [name, formula, expected] of cases) {
    const f = binary('i32', 'i32', formula);
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (a, b) => f(a, b) === expected(a, b)),
      {
        examples: [
          [0, 0],
          [-(2 ** 31), 2 ** 31 - 1],
          [5, 5],
        ],
      },
    );
    t.pass(name);
  }
});

t.test('float instructions do what JavaScript does', async (t) => {
  const round = Math.fround;
  const single = fc.float({ noNaN: true, noDefaultInfinity: true });
  for (const [name, formula, expected] of [
    ['add', f32.add, (a: number, b: number) => a + b],
    ['sub', f32.sub, (a: number, b: number) => a - b],
    ['mul', f32.mul, (a: number, b: number) => a * b],
    ['div', f32.div, (a: number, b: number) => a / b],
    ['min', f32.min, Math.min],
    ['max', f32.max, Math.max],
  ] as const) {
    const f = binary('f32', 'f32', formula);
    fc.assert(fc.property(single, single, (a, b) => Object.is(f(a, b), round(expected(a, b)))));
    t.pass(`f32.${name}`);
  }
  for (const [name, formula, expected] of [
    ['add', f64.add, (a: number, b: number) => a + b],
    ['mul', f64.mul, (a: number, b: number) => a * b],
    ['div', f64.div, (a: number, b: number) => a / b],
  ] as const) {
    const f = binary('f64', 'f64', formula);
    fc.assert(fc.property(fc.double(), fc.double(), (a, b) => Object.is(f(a, b), expected(a, b))));
    t.pass(`f64.${name}`);
  }
});

t.test('constants survive their encoding', async (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.float(), fc.double(), (whole, single, double) => {
      const module = new ModuleBuilder('constants');
      module.functionOf('i', {}, 'i32', () => i32.const(whole));
      module.functionOf('f', {}, 'f32', () => f32.const(single));
      module.functionOf('d', {}, 'f64', () => f64.const(double));
      const exports = run(module);
      return (
        exports['i']!() === whole && Object.is(exports['f']!(), single) && Object.is(exports['d']!(), double)
      );
    }),
    {
      examples: [
        [-65, 0, -0],
        [64, 1, 1],
        [-(2 ** 31), Math.fround(1e-45), 5e-324],
      ],
    },
  );
  t.pass('i32, f32, f64');
});

t.test('vectors: every lane', async (t) => {
  const floats = new Float32Array(memory.buffer);
  const bits = new Int32Array(memory.buffer);
  /** The lanes of `formula` applied to vectors at 0 and 16. */
  const lanes = (formula: (a: V128, b: V128) => V128, a: readonly number[], b: readonly number[]) => {
    const module = new ModuleBuilder('lanes');
    module.function('f', { p: 'i32' }, (f, { p }) => {
      f.store(p, formula(f32x4.load(p), f32x4.load(p, 16)), 32);
    });
    const f = run(module)['f']!;
    floats.set(a, 0);
    floats.set(b, 4);
    f(0);
    return [...floats.subarray(8, 12)];
  };
  const [a, b] = [
    [1, -2, 3.5, -4.25],
    [0.5, 8, -3, 2],
  ] as const;
  const map = (f: (x: number, y: number) => number) => a.map((x, i) => Math.fround(f(x, b[i]!)));
  t.same(
    lanes(f32x4.add, a, b),
    map((x, y) => x + y),
  );
  t.same(
    lanes(f32x4.sub, a, b),
    map((x, y) => x - y),
  );
  t.same(
    lanes(f32x4.mul, a, b),
    map((x, y) => x * y),
  );
  t.same(
    lanes(f32x4.div, a, b),
    map((x, y) => x / y),
  );
  t.same(lanes(f32x4.pmin, a, b), map(Math.min));
  t.same(lanes(f32x4.pmax, a, b), map(Math.max));
  t.same(
    lanes((x) => f32x4.sqrt(f32x4.abs(x)), a, b),
    map((x) => Math.sqrt(Math.abs(x))),
  );
  t.same(
    lanes((x) => f32x4.splat(f32x4.extractLane(x, 2)), a, b),
    [3.5, 3.5, 3.5, 3.5],
  );
  t.same(
    lanes((x) => f32x4.replaceLane(x, 1, f32.const(7)), a, b),
    [1, 7, 3.5, -4.25],
  );
  t.same(
    lanes((x, y) => f32x4.shuffle(x, y, [3, 4, 0, 7]), a, b),
    [-4.25, 0.5, 1, 2],
  );
  t.same(
    lanes((x, y) => v128.bitselect(x, y, f32x4.gt(x, y)), a, b),
    map(Math.max),
    'compare and select',
  );
  t.same(
    lanes(() => f32x4.const(1, 2, 3, 4), a, b),
    [1, 2, 3, 4],
  );
  t.same(
    lanes(() => f32x4.loadSplat(i32.const(20)), a, b),
    [8, 8, 8, 8],
  );
  t.same(
    lanes((x) => f32x4.convertI32x4S(i32x4.truncSatF32x4S(x)), a, b),
    [1, -2, 3, -4],
  );
  t.same(
    lanes(() => i32x4.shl(i32x4.constSplat(127), i32.const(23)), a, b),
    [1, 1, 1, 1],
    'exponent bits',
  );
  lanes((x, y) => f32x4.lt(x, y), a, b);
  t.same([...bits.subarray(8, 12)], [0, -1, 0, -1], 'masks are all ones');
});

t.test('loops, branches and calls', async (t) => {
  const module = new ModuleBuilder('control');
  const square = module.functionOf('square', { x: 'i32' }, 'i32', (_, { x }) => i32.mul(x, x), false);
  module.functionOf('sumOfSquares', { n: 'i32' }, 'i32', (f, { n }) => {
    const sum = f.local(i32.const(0));
    const i = f.declare('i32');
    f.for(i, i32.const(0), n, 1, () => f.set(sum, i32.add(sum, callValue('i32', square, i))));
    return sum;
  });
  module.functionOf('sign', { x: 'i32' }, 'i32', (f, { x }) => {
    const sign = f.local(i32.const(0));
    f.if(
      i32.gtS(x, i32.const(0)),
      () => f.set(sign, i32.const(1)),
      () => f.if(i32.ltS(x, i32.const(0)), () => f.return(i32.const(-1))),
    );
    return sign;
  });
  module.function('count', { n: 'i32', zero: 'i32' }, (f, { n, zero }) => {
    f.while(i32.gtS(n, i32.const(0)), () => {
      f.store(i32.const(64), i32.add(i32.load(i32.const(64)), i32.const(1)));
      f.fence(zero);
      f.increase(n, -1);
    });
  });
  const exports = run(module);
  t.same(Object.keys(exports).sort(), ['count', 'sign', 'sumOfSquares'], 'what is not exported is inside');
  t.equal(exports['sumOfSquares']!(10), 285);
  t.equal(exports['sumOfSquares']!(0), 0, 'a loop that never runs');
  t.same(
    [7, 0, -7].map((x) => exports['sign']!(x)),
    [1, 0, -1],
  );
  const cell = new Int32Array(memory.buffer, 64, 1);
  cell[0] = 0;
  exports['count']!(5, 0);
  t.equal(cell[0], 5, 'a fence is never taken');
  exports['count']!(5, 1);
  t.equal(cell[0], 6, 'unless its flag is set');
});

t.test('what is ill-typed is refused with the names of kernel and function', async (t) => {
  const integer = i32.const(1) as unknown as V128;
  const refuse = (write: (f: FunctionBuilder) => void, message: RegExp) => {
    const module = new ModuleBuilder('broken');
    t.throws(() => module.function('f', {}, write), { name: 'AssemblerError', message });
  };
  refuse(
    (f) => f.local(f32x4.add(integer, integer)),
    /kernel broken, function f: f32x4.add: operand 1 is i32/,
  );
  refuse((f) => f.set(f.declare('v128'), integer), /set: operand 1 is i32, expected v128/);
  refuse((f) => f.store(f32.const(0) as unknown as I32, f32.const(0)), /store: operand 1 is f32/);
  refuse((f) => f.if(f32.const(0) as unknown as I32, () => undefined), /if: operand 1 is f32/);
  refuse((f) => f.local(f32x4.extractLane(f32x4.constSplat(0), 4)), /lane 4 of 4/);
  refuse(
    (f) => f.local(f32x4.shuffle(f32x4.constSplat(0), f32x4.constSplat(0), [0, 1, 2, 8])),
    /lane 8 of 8/,
  );
  refuse((f) => f.declare('v256' as ValueType), /v256 is no type/);
  refuse((f) => f.return(i32.const(0)), /return: i32, expected nothing/);
  refuse((f) => f.local(i32.const(2 ** 31)), /no signed 32-bit number/);
  refuse((f) => f.local(f32x4.load(i32.const(0), -1)), /no unsigned 32-bit number/);
  const module = new ModuleBuilder('broken');
  const one = module.function('one', { x: 'f32' }, () => undefined);
  const calls = (write: (f: FunctionBuilder) => void, message: RegExp) =>
    t.throws(() => module.function('caller', {}, write), { message });
  calls((f) => f.call(one), /one takes 1 operands, got 0/);
  calls((f) => f.call(one, i32.const(0)), /call one: operand 1 is i32, expected f32/);
  calls((f) => f.local(callValue('i32', one, f32.const(0))), /one gives nothing, expected i32/);
  t.throws(() => module.function('one', {}, () => undefined), { message: /there is one of this name/ });
});

t.test('every kernel is valid WebAssembly, alone and with all others in one module', async (t) => {
  const definitions = new Set(
    kernelSpecs.flatMap((any) =>
      any.visit((spec) => spec.variants.flatMap(({ define }) => (define ? [define] : []))),
    ),
  );
  t.ok(definitions.size > 0, `${definitions.size} kernels`);
  for (const shared of [false, true]) {
    for (const define of definitions) {
      t.ok(WebAssembly.validate(assemble('one', [define], 'simd', { pages: 64, shared })));
    }
  }
  const all = assembleAllKernels();
  t.ok(WebAssembly.validate(all), `${all.length} bytes`);
});
