/** Gradients against finite differences. */
import type t from 'tap';
import { Tape, type Variable } from '../../src/autograd/index.js';
import { type KernelChoice, withKernels } from '../../src/ops/dispatch.js';
import { contiguous, createRandom, flat, type Tensor, view, zeros } from '../../src/tensor/index.js';

/** Uniform numbers in [-1, 1). */
export function randomTensor(random: () => number, ...shape: number[]): Tensor {
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = 2 * random() - 1;
  return x;
}

export interface GradientCase {
  /** The operation on variables; it must compute the same each time it is called. */
  readonly f: (...inputs: Variable[]) => Variable;
  readonly inputs: readonly Tensor[];
  /** Largest difference, as a part of the largest number of that gradient. Default 2e-3: values are float32. */
  readonly tolerance?: number;
  /** Step of the differences; default 1/64. */
  readonly step?: number;
}

/** Σ f(inputs) · R for a fixed random R, in float64. */
function project(f: GradientCase['f'], inputs: readonly Tensor[], seed: number): number {
  const tape = new Tape();
  const y = flat(contiguous(f(...inputs.map((x) => tape.variable(x))).value));
  const random = createRandom(seed);
  return y.reduce((sum, value) => sum + value * (2 * random() - 1), 0);
}

/**
 * Checks d Σ f(x) · R / dx of every element of every input against central differences of fourth order
 * (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h, on the reference kernels and on the fastest.
 */
export function checkGradients(
  test: Pick<typeof t, 'ok'>,
  name: string,
  { f, inputs, tolerance = 2e-3, step = 1 / 64 }: GradientCase,
): void {
  const seed = 11;
  const numeric = inputs.map((input, n) => {
    const x = contiguous(input);
    return Array.from({ length: flat(x).length }, (_, at) => {
      const moved = (by: number) => {
        const copy = view(flat(x).slice(), x.shape);
        copy.data[at]! += by;
        return withKernels('reference', () =>
          project(
            f,
            inputs.map((each, i) => (i === n ? copy : each)),
            seed,
          ),
        );
      };
      return (moved(-2 * step) - 8 * moved(-step) + 8 * moved(step) - moved(2 * step)) / (12 * step);
    });
  });
  for (const kernels of ['reference', 'auto'] as const satisfies KernelChoice[]) {
    withKernels(kernels, () => {
      const tape = new Tape();
      const variables = inputs.map((x) => tape.variable(x));
      const y = f(...variables);
      const random = createRandom(seed);
      const cotangent = zeros(y.shape);
      for (let i = 0; i < cotangent.data.length; i++) cotangent.data[i] = 2 * random() - 1;
      tape.backward(y, cotangent);
      variables.forEach(({ gradient }, n) => {
        const right = numeric[n]!;
        const largest = Math.max(...right.map(Math.abs), 1e-3);
        const got = gradient === null ? right.map(() => 0) : [...flat(gradient)];
        const worst = Math.max(...right.map((value, i) => Math.abs(value - got[i]!))) / largest;
        test.ok(
          worst <= tolerance,
          `${name}: d input ${n}, ${kernels} kernels, off by ${worst.toExponential(1)}`,
        );
      });
    });
  }
}
