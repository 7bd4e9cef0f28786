import t from 'tap';
import { constant, meanOverTime } from '../../src/autograd/index.js';
import { createRandom, flat, zeros } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(29);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

t.test('the mean over time', async (t) => {
  checkGradients(t, 'three recordings', {
    f: (x) => meanOverTime(x!, [2, 1, 4]),
    inputs: [tensor(7, 5)],
  });
  const x = tensor(7, 5);
  const y = flat(meanOverTime(constant(x), [2, 1, 4]).value);
  [0, 2, 3].forEach((start, n) => {
    const steps = [2, 1, 4][n]!;
    for (let c = 0; c < 5; c++) {
      let sum = 0;
      for (let i = 0; i < steps; i++) sum += x.get(start + i, c);
      t.ok(Math.abs(y[5 * n + c]! - sum / steps) < 1e-6);
    }
  });
  t.throws(() => meanOverTime(constant(zeros([7, 5])), [2, 3]), { code: 'ACOM_SHAPE' });
});
