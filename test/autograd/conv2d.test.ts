import t from 'tap';
import { constant, conv2d } from '../../src/autograd/index.js';
import { type Conv2dOptions, conv2d as conv2dValue } from '../../src/ops/index.js';
import { createRandom, flat, reshape, ShapeError } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(7);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

const same: Conv2dOptions = { stride: [1, 1], padding: [1, 1], padMode: 'zero' };
const halving: Conv2dOptions = { stride: [2, 2], padding: [1, 1], padMode: 'reflect' };

t.test('gradients', async (t) => {
  const check = (
    name: string,
    options: Conv2dOptions,
    lengths: readonly number[],
    [width, from, to, height = 3, wide = 3]: readonly [number, number, number, number?, number?],
    bias = true,
  ) => {
    const steps = lengths.reduce((sum, n) => sum + n, 0);
    checkGradients(t, name, {
      f: (x, w, b) => conv2d(x!, w!, b ?? null, options, lengths).y,
      inputs: [tensor(steps, width, from), tensor(to, height, wide, from), ...(bias ? [tensor(to)] : [])],
    });
  };
  check('3 x 3, zeros', same, [3, 5], [4, 2, 3]);
  check('Winograd, of several images', same, [3, 2], [3, 8, 8], false);
  check('front end: stride 2, mirrored', halving, [5, 2], [6, 1, 4]);
  check('front end, second layer', halving, [3, 4], [4, 4, 3]);
  check('no padding', { ...same, padding: [0, 0] }, [4, 3], [5, 2, 2], false);
  check('more padding than the filter reaches', { ...same, padding: [3, 1] }, [2], [3, 2, 2], false);
  check('stride 1, mirrored', { ...same, padMode: 'reflect' }, [3, 2], [3, 2, 2], false);
  check('stride 2 over zeros', { ...halving, padMode: 'zero' }, [4, 3], [5, 3, 2], false);
  check(
    '2 x 4 with stride 1 x 2',
    { stride: [1, 2], padding: [0, 1], padMode: 'zero' },
    [4],
    [6, 2, 3, 2, 4],
  );
  check('1 x 1', { ...same, padding: [0, 0] }, [2, 3], [3, 3, 4, 1, 1]);
});

t.test('each recording is convolved as if it were alone', async (t) => {
  for (const options of [same, halving]) {
    const [x, weight, bias] = [tensor(11, 6, 4), tensor(8, 3, 3, 4), tensor(8)];
    const { y, lengths } = conv2d(constant(x), constant(weight), constant(bias), options, [4, 7]);
    const parts = [x.hi(4, 6, 4), x.lo(4, 0, 0)].map((part) =>
      conv2dValue(reshape(part, [1, ...part.shape]), weight, bias, options),
    );
    t.same(
      [...flat(y.value)],
      parts.flatMap((part) => [...flat(part)]),
    );
    t.same(
      lengths,
      parts.map(({ shape }) => shape[1]),
    );
    t.equal(y.shape[0], lengths[0]! + lengths[1]!);
  }
});

t.test('what does not fit', async (t) => {
  const [x, weight] = [constant(tensor(4, 5, 2)), constant(tensor(3, 3, 3, 2))];
  t.throws(() => conv2d(x, weight, null, same, [3]), {
    constructor: ShapeError,
    message: 'conv2d: x [4, 5, 2] has 4 time steps, but the lengths add up to 3',
  });
  t.throws(() => conv2d(x, constant(tensor(3, 3, 3, 1)), null, same, [4]), {
    message: /the last axis of both counts the input channels/,
  });
  t.throws(() => conv2d(x, weight, null, { ...same, padding: [0, 0] }, [2, 2]), {
    message: 'conv2d: a recording of 2 x 5 is smaller than the kernel 3 x 3',
  });
});
