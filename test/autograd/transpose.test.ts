import t from 'tap';
import { linear, transpose } from '../../src/autograd/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(23);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

t.test('axes in another order', async (t) => {
  checkGradients(t, 'four axes', { f: (x) => transpose(x!, [0, 2, 3, 1]), inputs: [tensor(2, 3, 4, 5)] });
  checkGradients(t, 'axes of one', { f: (x) => transpose(x!, [0, 2, 3, 1]), inputs: [tensor(3, 1, 2, 2)] });
  checkGradients(t, 'used further', {
    f: (x, w) => linear(transpose(x!, [1, 0]), w!, null),
    inputs: [tensor(3, 4), tensor(2, 3)],
  });
});
