import t from 'tap';
import { constant, dropout } from '../../src/autograd/index.js';
import { withKernels } from '../../src/ops/index.js';
import { createRandom, flat, UsageError, view } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const N = 100_000;
const ones = constant(view(new Float32Array(N).fill(1), [N]));
const kept = (rate: number, seed: number) =>
  Uint8Array.from(flat(dropout(ones, rate, seed).value), (v) => (v === 0 ? 0 : 1));

/** Standard deviations that `count` is away from what `n` tosses with probability `p` give. */
const deviations = (count: number, n: number, p: number) =>
  Math.abs(count - n * p) / Math.sqrt(n * p * (1 - p));

t.test('dropout: gradients', async (t) => {
  checkGradients(t, 'a third', {
    f: (x) => dropout(x!, 1 / 3, 5),
    inputs: [randomTensor(createRandom(1), 5, 7)],
  });
  t.equal(dropout(ones, 0, 3), ones, 'rate 0 is nothing');
  t.throws(() => dropout(ones, 1, 3), UsageError);
  t.throws(() => dropout(ones, -0.1, 3), UsageError);
});

t.test('the share that is dropped, independent of neighbours and of other seeds', async (t) => {
  const rate = 0.3;
  const counts = [0, 1, 2, 3, 0x80000000, -1].map((seed) => {
    const mask = kept(rate, seed);
    const stay = mask.reduce((sum, v) => sum + v, 0);
    t.ok(deviations(stay, N, 1 - rate) < 4, `seed ${seed}: ${stay} of ${N} stay`);
    for (const apart of [1, 2, 4, 96, 256, 4096]) {
      const both = mask.subarray(apart).reduce((sum, v, i) => sum + v * mask[i]!, 0);
      t.ok(deviations(both, N - apart, (1 - rate) ** 2) < 5, `seed ${seed}: neighbours ${apart} apart`);
    }
    return mask;
  });
  for (let i = 1; i < counts.length; i++) {
    const both = counts[i]!.reduce((sum, v, at) => sum + v * counts[i - 1]![at]!, 0);
    t.ok(deviations(both, N, (1 - rate) ** 2) < 5, 'two seeds');
  }
});

t.test('the same numbers in every bit, whichever kernel runs', async (t) => {
  const x = constant(randomTensor(createRandom(2), 20_001));
  const [slow, fast] = (['reference', 'auto'] as const).map((kernels) =>
    withKernels(kernels, () => flat(dropout(x, 0.15, 12345).value)),
  );
  t.ok(slow!.every((v, i) => Object.is(v, fast![i])));
  const first = kept(0.5, 1).subarray(0, 24);
  t.equal(first.join(''), '100101110001000110101011', 'and the same for ever');
});
