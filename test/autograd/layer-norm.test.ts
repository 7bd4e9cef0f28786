import t from 'tap';
import { constant, layerNorm } from '../../src/autograd/index.js';
import { createRandom, ShapeError } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(5);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

t.test('layer norm', async (t) => {
  const norm = { f: (...[x, w, b]: Parameters<typeof layerNorm>[0][]) => layerNorm(x!, w!, b!, 1e-3) };
  checkGradients(t, 'over the last axis', { ...norm, inputs: [tensor(2, 3, 7), tensor(7), tensor(7)] });
  checkGradients(t, 'over the last two axes', {
    ...norm,
    inputs: [tensor(3, 4, 5), tensor(4, 5), tensor(4, 5)],
  });
  checkGradients(t, 'the weight of another shape', {
    ...norm,
    inputs: [tensor(4, 6), tensor(1, 6), tensor(6)],
  });
  const x = constant(tensor(3, 4));
  t.throws(() => layerNorm(x, constant(tensor(3)), constant(tensor(3)), 1e-5), ShapeError);
  t.throws(() => layerNorm(x, constant(tensor(2, 3)), constant(tensor(6)), 1e-5), ShapeError);
});
