import t from 'tap';
import { withKernels } from '../../src/ops/index.js';
import { type AdamWStep, adamw, moveAverage, squaredNorm } from '../../src/ops/optimizer.js';
import { createRandom, ShapeError } from '../../src/tensor/index.js';

const numbers = (n: number, seed: number) => {
  const random = createRandom(seed);
  return Float32Array.from({ length: n }, () => 2 * random() - 1);
};

/** Step t of Kingma and Ba with decoupled decay, in float64. */
function right(
  { beta1, beta2, rate, decay, epsilon }: AdamWStep,
  step: number,
  state: { w: number; m: number; v: number },
  g: number,
): void {
  state.m = beta1 * state.m + (1 - beta1) * g;
  state.v = beta2 * state.v + (1 - beta2) * g * g;
  const [mean, square] = [state.m / (1 - beta1 ** step), state.v / (1 - beta2 ** step)];
  state.w -= rate * (decay * state.w + mean / (Math.sqrt(square) + epsilon));
}

t.test('ten steps of AdamW', async (t) => {
  const n = 37;
  for (const kernels of ['reference', 'auto'] as const) {
    withKernels(kernels, () => {
      const parameters = numbers(n, 1);
      const state = { parameters, first: new Float32Array(n), second: new Float32Array(n) };
      const exact = Array.from(parameters, (w) => ({ w, m: 0, v: 0 }));
      for (let step = 1; step <= 10; step++) {
        const settings: AdamWStep = {
          rate: 0.01 / step,
          beta1: 0.9,
          beta2: 0.98,
          epsilon: 1e-8,
          decay: 0.1,
          unbias1: 1 / (1 - 0.9 ** step),
          unbias2: 1 / (1 - 0.98 ** step),
          gradientFactor: 0.25,
        };
        const gradient = numbers(n, 10 + step);
        // The last ones without decay, as biases are.
        adamw({ ...state, gradient }, settings, 0, 30);
        adamw({ ...state, gradient }, { ...settings, decay: 0 }, 30);
        exact.forEach((each, i) => {
          right({ ...settings, decay: i < 30 ? 0.1 : 0 }, step, each, 0.25 * gradient[i]!);
        });
      }
      const worst = Math.max(...exact.map(({ w }, i) => Math.abs(w - parameters[i]!)));
      t.ok(worst < 1e-6, `${kernels}: off by ${worst}`);
    });
  }
  const four = () => new Float32Array(4);
  const step = {
    rate: 1,
    beta1: 0,
    beta2: 0,
    epsilon: 1,
    decay: 0,
    unbias1: 1,
    unbias2: 1,
    gradientFactor: 1,
  };
  const state = { parameters: four(), gradient: four(), first: four(), second: four() };
  t.throws(() => adamw({ ...state, gradient: new Float32Array(3) }, step), ShapeError);
  t.throws(() => adamw(state, step, 2, 5), ShapeError);
});

t.test('averages and norms', async (t) => {
  const [average, x] = [numbers(11, 1), numbers(11, 2)];
  const before = average.slice();
  moveAverage(average, x, 0.125);
  average.forEach((got, i) => {
    t.ok(Math.abs(got - (0.875 * before[i]! + 0.125 * x[i]!)) < 1e-7);
  });
  t.throws(() => moveAverage(average, numbers(3, 1), 0.5), ShapeError);
  t.equal(squaredNorm(Float32Array.of(3, 4)), 25);
  t.equal(squaredNorm(Float32Array.of(1e30, 1e30)), 2 * Math.fround(1e30) ** 2, 'more than float32 holds');
  t.equal(squaredNorm(new Float32Array(0)), 0);
  t.ok(Number.isNaN(squaredNorm(Float32Array.of(1, Number.NaN))));
});
