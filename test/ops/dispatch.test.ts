/** Which kernel runs: by choice, by fallback, and side by side with the reference. */
import t from 'tap';
import { type KernelVariant, referenceVariant } from '../../kernels/spec.js';
import { kernelOf, linearPacked, matmul, packLinear, useKernels, withKernels } from '../../src/ops/index.js';
import { KernelError, type Tensor, view } from '../../src/tensor/index.js';

type Double = (x: Float32Array, y: Float32Array) => void;
const double: Double = (x, y) => y.set(x.map((v) => 2 * v));

const variant = (
  name: 'simd' | 'relaxed',
  load: () => Double,
  available: true | string = true,
): KernelVariant<Double> => ({
  operation: 'double',
  name,
  summary: '',
  available: () => available,
  load,
});
const reference = () => referenceVariant('double', double, '');
const matrix = (...rows: number[][]): Tensor =>
  view(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length]);

t.afterEach(() => useKernels('auto'));

/** What console.warn was given during `work`. */
function warnings(work: () => void): string[] {
  const lines: string[] = [];
  const { warn } = console;
  console.warn = (line: string) => void lines.push(line);
  try {
    work();
  } finally {
    console.warn = warn;
  }
  return lines;
}

t.test('the fastest that is here, once', async (t) => {
  let loads = 0;
  const simd: Double = (x, y) => double(x, y);
  const variants = [
    reference(),
    variant('relaxed', () => simd, 'not on this engine'),
    variant('simd', () => {
      loads++;
      return simd;
    }),
  ];
  t.equal(kernelOf(variants), simd);
  t.equal(kernelOf(variants), simd);
  t.equal(loads, 1);
});

t.test('a choice holds for a call, or from now on', async (t) => {
  const simd: Double = (x, y) => double(x, y);
  const variants = [reference(), variant('simd', () => simd)];
  t.equal(
    withKernels('reference', () => kernelOf(variants)),
    double,
  );
  t.equal(kernelOf(variants), simd, 'and is over after it');
  useKernels('reference');
  t.equal(kernelOf(variants), double);
  t.equal(
    withKernels('relaxed', () => kernelOf(variants)),
    double,
    'an operation without the variant runs on its reference',
  );
  const missing = [reference(), variant('simd', () => simd, 'this engine has no WebAssembly SIMD')];
  t.throws(() => withKernels('simd', () => kernelOf(missing)), {
    code: 'ACOM_KERNEL',
    message: 'double: no simd kernels: this engine has no WebAssembly SIMD',
  });
});

t.test('without SIMD the reference runs, with one notice', async (t) => {
  const without = () => [reference(), variant('simd', () => double, 'this engine has no WebAssembly SIMD')];
  const forbidden = () => [
    reference(),
    variant('simd', () => {
      throw new Error('compiling is forbidden here');
    }),
  ];
  const lines = warnings(() => {
    t.equal(kernelOf(forbidden()), double, 'also where compiling fails');
    t.equal(kernelOf(without()), double);
    t.equal(kernelOf(without()), double);
  });
  t.same(lines, ['acom: running on the slow reference kernels: compiling is forbidden here']);
});

t.test('check: the first difference, with operation, shapes and index', async (t) => {
  const wrong: Double = (x, y) => {
    double(x, y);
    y[1]! += 1;
  };
  const x = Float32Array.of(1, 2, 3);
  withKernels('check', () => {
    const right = new Float32Array(3);
    kernelOf([reference(), variant('simd', () => (a, b) => double(a, b))])(x, right);
    t.same([...right], [2, 4, 6]);
    t.throws(() => kernelOf([reference(), variant('simd', () => wrong)])(x, new Float32Array(3)), {
      code: 'ACOM_KERNEL',
      message:
        'double(Float32Array(3), Float32Array(3)): element 1 of argument 1 is 5, the reference gives 4',
    });
  });
});

t.test('check: kernels that pack, whole operations', async (t) => {
  const a = matrix([1, 2], [3, 4], [5, 6]);
  const b = matrix([1, 0, 2], [0, 1, 2]);
  withKernels('check', () => {
    t.same([...matmul(a, b).data], [1, 2, 6, 3, 4, 14, 5, 6, 22]);
    const weights = packLinear(matrix([1, 1], [2, 0]), null);
    t.same([...linearPacked(a, weights).data], [3, 2, 7, 6, 11, 10]);
  });
});

t.test('packed weights stay with the kernel that packed them', async (t) => {
  const a = matrix([1, 2, 3]);
  const weight = matrix([1, 2, 3], [4, 5, 6]);
  for (const [first, second] of [
    ['reference', 'auto'],
    ['auto', 'reference'],
  ] as const) {
    const weights = withKernels(first, () => packLinear(weight, null));
    t.same(
      [...withKernels(second, () => linearPacked(a, weights)).data],
      [14, 32],
      `${first}, then ${second}`,
    );
  }
});

t.test('KernelError is an AcomError', async (t) => {
  t.equal(new KernelError('x').code, 'ACOM_KERNEL');
});
