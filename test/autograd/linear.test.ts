import t from 'tap';
import { linear, scaledAdd } from '../../src/autograd/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(3);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

t.test('linear', async (t) => {
  checkGradients(t, 'with bias', {
    f: (x, w, b) => linear(x!, w!, b!),
    inputs: [tensor(2, 5, 7), tensor(9, 7), tensor(9)],
  });
  checkGradients(t, 'without', { f: (x, w) => linear(x!, w!, null), inputs: [tensor(3, 4), tensor(2, 4)] });
});

t.test('a variable used twice gets the sum of both gradients', async (t) => {
  checkGradients(t, 'x + 0.5 (x + x)', {
    f: (x) => scaledAdd(x!, 0.5, scaledAdd(x!, 1, x!)),
    inputs: [tensor(4, 3)],
  });
});
