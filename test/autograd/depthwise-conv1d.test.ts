import t from 'tap';
import { constant, depthwiseConv1d } from '../../src/autograd/index.js';
import { depthwiseConv1d as depthwiseConv1dValue } from '../../src/ops/index.js';
import { createRandom, flat, reshape, ShapeError } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(5);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

t.test('gradients of recordings one after another', async (t) => {
  const lengths = [5, 1, 9];
  checkGradients(t, 'with bias', {
    f: (x, w, b) => depthwiseConv1d(x!, w!, b!, lengths),
    inputs: [tensor(15, 5), tensor(5, 7), tensor(5)],
  });
  checkGradients(t, 'without', {
    f: (x, w) => depthwiseConv1d(x!, w!, null, [4, 3]),
    inputs: [tensor(7, 3), tensor(3, 1)],
  });
});

t.test('each recording is filtered as if it were alone', async (t) => {
  const [x, weight, bias] = [tensor(11, 6), tensor(6, 5), tensor(6)];
  const together = flat(depthwiseConv1d(constant(x), constant(weight), constant(bias), [4, 7]).value);
  const alone = [x.hi(4, 6), x.lo(4, 0)].flatMap((part) => [
    ...flat(depthwiseConv1dValue(reshape(part, [1, part.shape[0]!, 6]), weight, bias)),
  ]);
  t.same([...together], alone);
});

t.test('lengths have to fit', async (t) => {
  const [x, weight] = [constant(tensor(4, 2)), constant(tensor(2, 3))];
  t.throws(() => depthwiseConv1d(x, weight, null, [3]), {
    constructor: ShapeError,
    message: 'depthwiseConv1d: x [4, 2] has 4 time steps, but the lengths add up to 3',
  });
  t.throws(() => depthwiseConv1d(x, weight, null, [4, 0]), { message: /a recording has 0 time steps/ });
  t.throws(() => depthwiseConv1d(x, constant(tensor(3, 3)), null, [4]), { message: /3 channels do not fit/ });
});
