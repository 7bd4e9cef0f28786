import t from 'tap';
import { averagePool2d, constant, maxPool2d, poolImage } from '../../src/autograd/index.js';
import { averagePool2d as averageValue } from '../../src/ops/index.js';
import { createRandom, flat, reshape, ShapeError, type Tensor, zeros } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(9);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

/** Numbers 0, 0.3, 0.6, … in any order: no two are so near that a small step exchanges them. */
function apart(...shape: number[]): Tensor {
  const x = zeros(shape);
  const order = Array.from(x.data, (_, i) => ({ i, key: random() })).sort((a, b) => a.key - b.key);
  order.forEach(({ i }, rank) => {
    x.data[i] = 0.3 * rank;
  });
  return x;
}

const halving = { window: [2, 2], stride: [2, 2] } as const;

t.test('averages', async (t) => {
  for (const [name, options] of [
    ['halving', halving],
    ['overlapping', { window: [3, 2], stride: [1, 2] }],
    ['with gaps', { window: [2, 1], stride: [2, 3] }],
  ] as const) {
    checkGradients(t, name, { f: (x) => averagePool2d(x!, options, [5, 4]).y, inputs: [tensor(9, 5, 3)] });
  }
  const x = tensor(9, 4, 2);
  const { y, lengths } = averagePool2d(constant(x), halving, [5, 4]);
  const alone = [x.hi(5, 4, 2), x.lo(5, 0, 0)].flatMap((part) => [
    ...flat(averageValue(reshape(part, [1, ...part.shape]), halving)),
  ]);
  t.same([...flat(y.value)], alone, 'each recording by itself');
  t.same(lengths, [2, 2]);
  t.throws(() => averagePool2d(constant(x), halving, [8, 1]), {
    constructor: ShapeError,
    message: 'averagePool2d: a recording of 1 x 4 is smaller than the window 2 x 2',
  });
});

t.test('maxima', async (t) => {
  checkGradients(t, 'halving', { f: (x) => maxPool2d(x!, halving, [5, 4]).y, inputs: [apart(9, 5, 2)] });
  checkGradients(t, 'overlapping', {
    f: (x) => maxPool2d(x!, { window: [2, 3], stride: [1, 1] }, [3, 2]).y,
    inputs: [apart(5, 4, 2)],
  });
});

t.test('the head of CNN14', async (t) => {
  const lengths = [4, 1, 3];
  checkGradients(t, 'mean, then largest and mean', {
    f: (x) => poolImage(x!, lengths),
    inputs: [apart(8, 3, 4)],
  });
  t.same(poolImage(constant(apart(8, 3, 4)), lengths).shape, [3, 4]);
});
