import t from 'tap';
import {
  constant,
  glu,
  leakyRelu,
  logSoftmax,
  relu,
  scalarOf,
  softmax,
  swish,
  Tape,
} from '../../src/autograd/index.js';
import { createRandom, flat, ShapeError, view } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(7);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

/** Numbers of which none is so near 0 that a difference would step over the kink. */
function offZero(...shape: number[]) {
  const x = tensor(...shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = Math.sign(x.data[i]!) * (0.1 + Math.abs(x.data[i]!));
  return x;
}

t.test('activations', async (t) => {
  checkGradients(t, 'swish', { f: (x) => swish(x!), inputs: [tensor(3, 7)] });
  checkGradients(t, 'relu', { f: (x) => relu(x!), inputs: [offZero(3, 7)] });
  checkGradients(t, 'leaky relu', { f: (x) => leakyRelu(x!, 0.1), inputs: [offZero(2, 2, 5)] });
  checkGradients(t, 'glu', { f: (x) => glu(x!), inputs: [tensor(2, 3, 10)] });
  t.throws(() => glu(constant(tensor(2, 3))), ShapeError);
});

t.test('rectifiers at 0, as PyTorch has it', async (t) => {
  const gradientOf = (f: typeof relu) => {
    const tape = new Tape();
    const x = tape.variable(view(Float32Array.of(-1, 0, 1), [3]));
    tape.backward(f(x), view(Float32Array.of(2, 2, 2), [3]));
    return [...flat(x.gradient!)];
  };
  t.same(gradientOf(relu), [0, 0, 2]);
  t.same(
    gradientOf((x) => leakyRelu(x, 0.25)),
    [0.5, 0.5, 2],
  );
});

t.test('softmax and its logarithm', async (t) => {
  checkGradients(t, 'softmax', { f: (x) => softmax(x!), inputs: [tensor(2, 3, 5)] });
  checkGradients(t, 'log softmax', { f: (x) => logSoftmax(x!), inputs: [tensor(4, 9)] });
  checkGradients(t, 'of one class', { f: (x) => softmax(x!), inputs: [tensor(3, 1)] });
  t.equal(scalarOf(softmax(constant(tensor(1, 1)))), 1);
});
