/** The optimiser against its formulas, written apart in float64. */
import t from 'tap';
import { createNormal, createRandom } from '../../../src/tensor/index.js';
import {
  adamwStep,
  averagingDecay,
  clippingFactor,
  globalNorm,
  learningRate,
} from '../../../src/training/optimizer/index.js';

const normal = createNormal(createRandom(5));
const numbers = (length: number) => Float32Array.from({ length }, normal);

t.test('AdamW is the formula of the paper', async (t) => {
  const [size, decayed, rate] = [37, 20, 0.01];
  const settings = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.1 };
  const state = {
    parameters: numbers(size),
    gradient: numbers(size),
    first: new Float32Array(size),
    second: new Float32Array(size),
  };
  const right = [...state.parameters];
  const gradients: number[][] = [];
  for (let step = 1; step <= 12; step++) {
    state.gradient.set(numbers(size));
    gradients.push([...state.gradient].map((g) => 0.5 * g));
    adamwStep(state, settings, { step, rate, gradientFactor: 0.5, decayed });
    for (let i = 0; i < size; i++) {
      // The moments as sums over all gradients so far.
      const weighted = (beta: number, power: number) =>
        gradients.reduce((sum, g, n) => sum + (1 - beta) * beta ** (step - 1 - n) * g[i]! ** power, 0);
      const m = weighted(settings.beta1, 1) / (1 - settings.beta1 ** step);
      const v = weighted(settings.beta2, 2) / (1 - settings.beta2 ** step);
      const gone = i < decayed ? settings.decay * right[i]! : 0;
      right[i] = right[i]! - rate * (m / (Math.sqrt(v) + settings.epsilon) + gone);
    }
    const worst = Math.max(...right.map((value, i) => Math.abs(value - state.parameters[i]!)));
    t.ok(worst < 1e-6, `step ${step}: off by ${worst}`);
  }
});

t.test('the first step of AdamW is the learning rate against the sign of the gradient', async (t) => {
  const state = {
    parameters: new Float32Array(3),
    gradient: Float32Array.of(1e-3, -50, 0),
    first: new Float32Array(3),
    second: new Float32Array(3),
  };
  adamwStep(
    state,
    { beta1: 0.9, beta2: 0.98, epsilon: 1e-8, decay: 0.5 },
    { step: 1, rate: 0.1, gradientFactor: 1, decayed: 3 },
  );
  for (const [i, right] of [-0.1, 0.1, 0].entries()) t.ok(Math.abs(state.parameters[i]! - right) < 1e-5);
});

t.test('clipping', async (t) => {
  const gradient = numbers(1001);
  const norm = Math.hypot(...gradient);
  t.ok(Math.abs(globalNorm(gradient) - norm) < 1e-9 * norm);
  t.equal(clippingFactor(norm, 2 * norm), 1);
  const clipped = gradient.map((g) => g * clippingFactor(norm, 0.5));
  t.ok(Math.abs(globalNorm(clipped) - 0.5) < 1e-6);
  // One large number must not overflow on the way.
  t.ok(Math.abs(globalNorm(Float32Array.of(3e30, 4e30)) / 5e30 - 1) < 1e-6);
  t.ok(Number.isNaN(globalNorm(Float32Array.of(1, Number.NaN))));
  t.equal(globalNorm(Float32Array.of(1, Number.NEGATIVE_INFINITY)), Number.POSITIVE_INFINITY);
});

t.test('schedules', async (t) => {
  const cosine = { kind: 'cosine', rate: 0.4, warmup: 10, floor: 0.1 } as const;
  const at = (step: number) => learningRate(cosine, step, 110);
  t.equal(at(1), 0.04);
  t.equal(at(5), 0.2);
  t.equal(at(10), 0.4);
  t.ok(Math.abs(at(60) - 0.25) < 1e-12, 'half way');
  t.ok(Math.abs(at(35) - (0.1 + 0.15 * (1 + Math.SQRT1_2))) < 1e-12, 'a quarter');
  t.ok(Math.abs(at(110) - 0.1) < 1e-12);
  t.ok(Math.abs(at(500) - 0.1) < 1e-12, 'past the end');
  for (let step = 11; step <= 110; step++) t.ok(at(step) < at(step - 1));
  t.equal(learningRate({ kind: 'cosine', rate: 1, warmup: 0 }, 20, 20), 0);
  t.equal(learningRate({ kind: 'constant', rate: 0.3 }, 1, 5), 0.3);
  t.equal(learningRate({ kind: 'constant', rate: 0.3, warmup: 4 }, 2, 5), 0.15);
  t.equal(learningRate({ kind: 'constant', rate: 0.3, warmup: 4 }, 4, 5), 0.3);
});

t.test('averages of weights follow quickly at first', async (t) => {
  // (1 + t) / (10 + t) passes 0.9 at step 80.
  t.equal(averagingDecay(0.9, 1), 2 / 11);
  t.equal(averagingDecay(0.9, 79), 80 / 89);
  t.equal(averagingDecay(0.9, 80), 0.9);
  t.equal(averagingDecay(0.9, 1000), 0.9);
});
