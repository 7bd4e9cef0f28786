import t from 'tap';
import { constant, depthwiseConv2d } from '../../src/autograd/index.js';
import { type DepthwiseConv2dOptions, depthwiseConv2d as depthwiseConv2dValue } from '../../src/ops/index.js';
import { createRandom, flat, reshape } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(17);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

const same: DepthwiseConv2dOptions = { stride: [1, 1], padding: { rows: [1, 1], columns: [1, 1] } };
const halving: DepthwiseConv2dOptions = { ...same, stride: [2, 2] };
const uneven: DepthwiseConv2dOptions = { stride: [1, 2], padding: { rows: [0, 1], columns: [2, 0] } };

t.test('gradients', async (t) => {
  const check = (name: string, options: DepthwiseConv2dOptions, lengths: number[], bias: boolean) =>
    checkGradients(t, name, {
      f: (x, w, b) => depthwiseConv2d(x!, w!, b ?? null, options, lengths).y,
      inputs: [
        tensor(
          lengths.reduce((sum, n) => sum + n, 0),
          4,
          5,
        ),
        tensor(5, 3, 3),
        ...(bias ? [tensor(5)] : []),
      ],
    });
  check('3 x 3', same, [3, 1, 4], true);
  check('halving', halving, [3, 4], false);
  check('padding of one side', uneven, [3, 2], true);
});

t.test('each recording is filtered as if it were alone', async (t) => {
  for (const options of [same, halving, uneven]) {
    const [x, weight, bias] = [tensor(11, 6, 4), tensor(4, 3, 3), tensor(4)];
    const { y, lengths } = depthwiseConv2d(constant(x), constant(weight), constant(bias), options, [4, 7]);
    const parts = [x.hi(4, 6, 4), x.lo(4, 0, 0)].map((part) =>
      depthwiseConv2dValue(reshape(part, [1, ...part.shape]), weight, bias, options),
    );
    t.same(
      [...flat(y.value)],
      parts.flatMap((part) => [...flat(part)]),
    );
    t.same(
      lengths,
      parts.map(({ shape }) => shape[1]),
    );
  }
});

t.test('what does not fit', async (t) => {
  const [x, weight] = [constant(tensor(5, 4, 3)), constant(tensor(3, 3, 3))];
  const none: DepthwiseConv2dOptions = { stride: [1, 1], padding: { rows: [0, 0], columns: [0, 0] } };
  t.throws(() => depthwiseConv2d(x, weight, null, same, [2, 2]), {
    code: 'ACOM_SHAPE',
    message: /add up to 4/,
  });
  t.throws(() => depthwiseConv2d(x, constant(tensor(4, 3, 3)), null, same, [5]), { message: /4 channels/ });
  t.throws(() => depthwiseConv2d(x, weight, null, none, [3, 2]), {
    message: /smaller than the kernel 3 x 3/,
  });
});
