import t from 'tap';
import {
  add,
  concatRows,
  constant,
  multiplyConstant,
  poolFrames,
  repeatFrames,
  reshape,
  scalarOf,
  scale,
  scaledAdd,
  sliceRows,
  splitRows,
  sum,
  swish,
  Tape,
} from '../../src/autograd/index.js';
import { poolFrames as poolOne } from '../../src/ops/frame-pooling.js';
import { createRandom, flat, ShapeError, view } from '../../src/tensor/index.js';
import { checkGradients, randomTensor } from '../support/gradients.js';

const random = createRandom(13);
const tensor = (...shape: number[]) => randomTensor(random, ...shape);

t.test('arithmetic', async (t) => {
  checkGradients(t, 'scale', { f: (x) => scale(x!, -0.7), inputs: [tensor(3, 5)] });
  const mask = tensor(3, 5);
  checkGradients(t, 'multiply', { f: (x) => multiplyConstant(x!, mask), inputs: [tensor(3, 5)] });
  checkGradients(t, 'sum', { f: (x) => sum(swish(x!)), inputs: [tensor(3, 5)] });
  checkGradients(t, 'add', { f: (x, z) => add(x!, z!), inputs: [tensor(6), tensor(6)] });
  checkGradients(t, 'scaled add', { f: (x, z) => scaledAdd(x!, 0.5, z!), inputs: [tensor(6), tensor(6)] });
  const ones = constant(view(new Float32Array(100_000).fill(0.1), [100, 1000]));
  t.ok(Math.abs(scalarOf(sum(ones)) - 10_000) < 1e-2, 'sums of many are float64');
  t.throws(() => multiplyConstant(constant(tensor(3)), tensor(4)), ShapeError);
});

t.test('shapes', async (t) => {
  checkGradients(t, 'reshape', { f: (x) => swish(reshape(x!, [2, 6])), inputs: [tensor(3, 4)] });
  checkGradients(t, 'rows put together, one of them twice', {
    f: (x, z) => concatRows([x!, z!, x!]),
    inputs: [tensor(2, 3, 2), tensor(1, 3, 2)],
  });
  checkGradients(t, 'a slice, and the whole', {
    f: (x) => add(sliceRows(x!, 1, 3), sliceRows(x!, 2, 4)),
    inputs: [tensor(5, 3)],
  });
  checkGradients(t, 'parts, one of which nothing depends on', {
    f: (x) => {
      const [a, , c] = splitRows(x!, [2, 1, 2, 0]);
      return add(swish(a!), c!);
    },
    inputs: [tensor(5, 3)],
  });
  checkGradients(t, 'parts put together, and the whole', {
    f: (x) => scaledAdd(concatRows(splitRows(x!, [2, 3]).map(swish).reverse()), 0.5, x!),
    inputs: [tensor(5, 3)],
  });
  const x = constant(tensor(4, 2));
  t.throws(() => sliceRows(x, 2, 5), ShapeError);
  t.throws(() => sliceRows(x, 3, 2), ShapeError);
  t.throws(() => splitRows(x, [2, 3]), ShapeError);
  t.throws(() => concatRows([]), ShapeError);
  t.throws(() => concatRows([x, constant(tensor(4, 3))]), ShapeError);
  t.throws(() => reshape(x, [3, 3]), ShapeError);
});

t.test('frames pooled and repeated, with ends that leave groups incomplete', async (t) => {
  const lengths = [4, 5, 1, 7];
  for (const factor of [1, 2, 3]) {
    const groups = lengths.reduce((total, length) => total + Math.ceil(length / factor), 0);
    checkGradients(t, `pooled by ${factor}`, {
      f: (x) => poolFrames(x!, lengths, factor),
      inputs: [tensor(17, 3)],
    });
    checkGradients(t, `repeated by ${factor}`, {
      f: (x) => repeatFrames(x!, lengths, factor),
      inputs: [tensor(groups, 3)],
    });
    const x = tensor(17, 3);
    const pooled = flat(poolFrames(constant(x), lengths, factor).value);
    let frame = 0;
    const alone = lengths.flatMap((length) => {
      const part = view(flat(x).slice(3 * frame, 3 * (frame + length)), [length, 3]);
      frame += length;
      return [...flat(poolOne(part, factor))];
    });
    t.same([...pooled], alone, 'each recording as the codec pools it');
  }
  const rows = constant(view(Float32Array.of(1, 2, 3), [3, 1]));
  t.same([...flat(repeatFrames(rows, [3, 1], 2).value)], [1, 1, 2, 3]);
  t.throws(() => poolFrames(rows, [2], 2), ShapeError);
  t.throws(() => repeatFrames(rows, [7], 2), ShapeError);
});

t.test('a gradient that is shared is not added to in place', async (t) => {
  const tape = new Tape();
  const x = tape.variable(tensor(2, 2));
  const y = swish(x);
  // Both get dy of the sum itself; what is added to one must not reach the other.
  const z = add(reshape(y, [2, 2]), concatRows([sliceRows(x, 0, 1), sliceRows(x, 1, 2)]));
  tape.backward(sum(add(z, y)));
  const slope = (v: number) => {
    const s = 1 / (1 + Math.exp(-v));
    return s * (1 + v * (1 - s));
  };
  flat(x.gradient!).forEach((got, i) => {
    const right = 2 * slope(x.value.data[i]!) + 1;
    t.ok(Math.abs(got - right) < 1e-5, `${got}: ${right}`);
  });
});
