import t from 'tap';
import { constant, Tape, type Variable } from '../../../src/autograd/index.js';
import { createRandom, flat, type Tensor, UsageError, zeros } from '../../../src/tensor/index.js';
import type { Pass } from '../../../src/training/networks/network.js';
import {
  learnedPooling,
  meanPooling,
  type Pooling,
  stackedPooling,
} from '../../../src/training/networks/pooling.js';
import { checkGradients, randomTensor } from '../../support/gradients.js';

const random = createRandom(12);
const lengths = [4, 3, 5, 1];
const steps = 13;

/** The numbers that a pooling begins with. */
const initial = ({ parameters }: Pooling): Map<string, Tensor> =>
  new Map(
    [...parameters].map(([name, { shape, initialise }]) => {
      const values = zeros(shape);
      initialise(values.data, random);
      return [name, values];
    }),
  );

const passOf = (parameters: ReadonlyMap<string, Variable>): Pass => ({
  parameter: (name) => parameters.get(name)!,
  buffer: () => zeros([0]),
  training: true,
  random,
  report() {},
});

const startOf = (pooling: Pooling): Pass =>
  passOf(new Map([...initial(pooling)].map(([name, value]) => [name, constant(value)])));

t.test('learned pooling begins as mean pooling', async (t) => {
  for (const factor of [1, 2, 3]) {
    const [learned, mean] = [learnedPooling({ factor, stepWidth: 4 }), meanPooling(factor, 4)];
    const x = constant(randomTensor(random, steps, 4));
    const pass = startOf(learned);
    const [a, b] = [learned, mean].map((pooling) => pooling.pool(pass, { x, lengths }));
    t.same(a!.lengths, b!.lengths);
    const close = (one: Tensor, other: Tensor) =>
      one.shape.join() === other.shape.join() &&
      flat(one).every((value, i) => Math.abs(value - flat(other)[i]!) < 1e-6);
    t.ok(close(a!.x.value, b!.x.value), `to vectors, ${factor} steps each`);
    const [c, d] = [learned, mean].map((pooling) => pooling.unpool(pass, b!.x, lengths));
    t.same(c!.lengths, lengths);
    t.ok(close(c!.x.value, d!.x.value), `and back, ${factor} steps each`);
  }
});

t.test('stacked steps come back as they were', async (t) => {
  for (const factor of [1, 2, 3]) {
    const pooling = stackedPooling(factor, 4);
    const x = constant(randomTensor(random, steps, 4));
    const pass = startOf(pooling);
    const vectors = pooling.pool(pass, { x, lengths });
    t.same(
      vectors.lengths,
      lengths.map((length) => Math.ceil(length / factor)),
    );
    t.equal(vectors.x.shape[1], 4 * factor);
    t.same(pooling.unpool(pass, vectors.x, lengths).x.value.data, x.value.data, `${factor} steps each`);
  }
  t.same(stackedPooling(3, 4).config, { pooling: 3, pooledBy: 'stacking' });
});

t.test('gradients of both maps, at the ends of recordings too', async (t) => {
  for (const [factor, of] of [
    [3, lengths],
    [2, [4, 2, 6]],
  ] as const) {
    const pooling = learnedPooling({ factor, stepWidth: 3, width: 2 });
    const names = [...pooling.parameters.keys()];
    const inputs = [...initial(pooling).values()];
    for (const bias of inputs.filter(({ shape }) => shape.length === 1)) {
      for (let i = 0; i < bias.data.length; i++) bias.data[i] = random();
    }
    checkGradients(t, `${factor} steps`, {
      f: (x, ...values) => {
        const pass = passOf(new Map(names.map((name, n) => [name, values[n]!])));
        const pooled = pooling.pool(pass, { x: x!, lengths: of });
        return pooling.unpool(pass, pooled.x, of).x;
      },
      inputs: [
        randomTensor(
          random,
          of.reduce((sum, n) => sum + n, 0),
          3,
        ),
        ...inputs,
      ],
    });
  }
});

t.test('fewer numbers: the vector is a turned part of the mean, and comes back as it was', async (t) => {
  const pooling = learnedPooling({ factor: 2, stepWidth: 6, width: 4 });
  const pass = startOf(pooling);
  const vectors = constant(randomTensor(random, 3, 4));
  const back = pooling.unpool(pass, vectors, [6]);
  const again = pooling.pool(pass, back).x.value;
  t.ok(flat(again).every((value, i) => Math.abs(value - flat(vectors.value)[i]!) < 1e-5));
});

t.test('what stays of the tape is what the codec is configured with', async (t) => {
  t.same(meanPooling(2, 8).config, { pooling: 2 });
  t.same(learnedPooling({ factor: 4, stepWidth: 8, width: 6 }).config, {
    pooling: 4,
    pooledBy: 'stacking',
    projection: 6,
  });
  t.same(learnedPooling({ factor: 1, stepWidth: 8 }).config, { pooling: 1, projection: 8 });
  const tape = new Tape();
  const x = tape.variable(randomTensor(random, 4, 2));
  t.equal(meanPooling(1, 2).pool(startOf(meanPooling(1, 2)), { x, lengths: [4] }).x, x, 'nothing is copied');
  t.throws(() => meanPooling(0, 2), UsageError);
  t.throws(() => learnedPooling({ factor: 2, stepWidth: 4, width: 5 }), UsageError);
});
