/** CNN14 in training: the values of inference, statistics of batches and shards, dropout. Its gradients: test/oracle. */
import t from 'tap';
import { constant } from '../../../src/autograd/index.js';
import { type Cnn14Config, Cnn14Prefix, Cnn14Suffix, Parameters } from '../../../src/nn/index.js';
import { logSoftmax } from '../../../src/ops/index.js';
import {
  contiguous,
  createRandom,
  flat,
  reshape,
  type Tensor,
  view,
  zeros,
} from '../../../src/tensor/index.js';
import { trainableCnn14 } from '../../../src/training/networks/cnn14.js';
import { randomWeights } from '../../support/classifiers.js';
import { randomTensor } from '../../support/gradients.js';
import { initialNumbers, type Numbers, passOf } from '../../support/passes.js';

const config: Cnn14Config = {
  type: 'cnn14',
  mels: 9,
  channels: [4, 6, 8],
  classes: 5,
  head: 'linear',
};
const random = createRandom(41);
const tensor = (...shape: number[]): Tensor => randomTensor(random, ...shape);
const numbers: Numbers = new Map(
  [...(await randomWeights(config, 7))].map(([name, { data, shape }]) => [name, view(data, shape)]),
);
const lengths = [13, 8, 4];
const x = tensor(25, 9);

const logitsOf = (splitLayer: number, options: { training: boolean; dropout: number; seed?: number }) => {
  const network = trainableCnn14(config, splitLayer, { dropout: options.dropout });
  const pass = passOf(numbers, { ...options, variables: false });
  const steps = network.prefix(pass, { x: constant(x), lengths });
  const out = network.suffix(pass, steps);
  return { steps, logits: out.x.value, lengths: out.lengths, reported: pass.reported, network };
};

t.test('without training: what inference computes, for recordings of any length, at any cut', async (t) => {
  for (let splitLayer = 0; splitLayer <= 3; splitLayer++) {
    // Dropout does nothing then.
    const { steps, logits, lengths: after } = logitsOf(splitLayer, { training: false, dropout: 0.5 });
    const prefix = new Cnn14Prefix(new Parameters(numbers), config, splitLayer);
    const suffix = new Cnn14Suffix(new Parameters(numbers), config, splitLayer);
    t.same(after, [1, 1, 1]);
    let [row, step] = [0, 0];
    lengths.forEach((frames, n) => {
      const features = reshape(contiguous(x.lo(row, 0).hi(frames, 9)), [1, frames, 9]);
      const cut = prefix.forward(features);
      t.equal(steps.lengths[n], cut.shape[1], `steps after ${splitLayer}`);
      const mine = flat(contiguous(steps.x.value.lo(step, 0).hi(cut.shape[1]!, cut.shape[2]!)));
      const off = Math.max(...flat(cut).map((value, i) => Math.abs(value - mine[i]!)));
      t.ok(off < 1e-5, `cut after ${splitLayer}: ${off} off`);
      const expected = flat(suffix.forward(cut));
      const found = flat(logSoftmax(contiguous(logits.lo(n, 0).hi(1, 5))));
      const wrong = Math.max(...expected.map((value, i) => Math.abs(value - found[i]!)));
      t.ok(wrong < 1e-5, `recording ${n}, cut after ${splitLayer}: ${wrong} off`);
      row += frames;
      step += cut.shape[1]!;
    });
  }
});

t.test('parameters and buffers are those of a model file', async (t) => {
  const network = trainableCnn14(config, 1);
  const shapes = new Map(
    [...network.parameters, ...network.buffers].map(([name, { shape }]) => [name, shape]),
  );
  t.same([...shapes.keys()].sort(), [...numbers.keys()].sort());
  for (const [name, { shape }] of numbers) t.same(shapes.get(name), shape, name);
  for (const [name, { decay, shape }] of network.parameters) t.equal(decay, shape.length > 1, name);
  const fresh = initialNumbers(network, 1);
  t.ok(flat(fresh.get('embedding_model.norm0.running_var')!).every((value) => value === 1));
  const weight = flat(fresh.get('embedding_model.conv_block2.conv1.weight')!);
  const bound = Math.sqrt(6 / (9 * 4 + 9 * 6));
  t.ok(weight.every((value) => Math.abs(value) <= bound));
  t.ok(weight.some((value) => Math.abs(value) > bound / 2));
});

t.test('running statistics move by what the shards have together', async (t) => {
  const network = trainableCnn14(config, 1, { dropout: 0 });
  // Shards of different sizes; of the first norm, whose inputs are the features, all is known.
  const shards = [
    { from: 0, lengths: [13, 8] },
    { from: 21, lengths: [4] },
  ];
  const sums = new Map<string, Float64Array>();
  for (const { from, lengths: some } of shards) {
    const frames = some.reduce((sum, n) => sum + n, 0);
    const pass = passOf(numbers, { training: true });
    const part = constant(contiguous(x.lo(from, 0).hi(frames, 9)));
    network.suffix(pass, network.prefix(pass, { x: part, lengths: some }));
    for (const [name, values] of pass.reported) {
      const before = sums.get(name);
      sums.set(name, before ? before.map((sum, i) => sum + values[i]!) : values);
    }
  }
  const buffers = new Map(
    [...network.buffers].map(([name, { shape }]) => [
      name,
      view(flat(numbers.get(name) as Tensor).slice(), shape),
    ]),
  );
  network.absorb!(buffers, sums);
  for (let c = 0; c < 9; c++) {
    const column = Array.from({ length: 25 }, (_, row) => x.get(row, c));
    const mean = column.reduce((sum, value) => sum + value, 0) / 25;
    const variance = column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 24;
    const moved = (name: string) => flat(buffers.get(`embedding_model.norm0.${name}`)!)[c]!;
    const before = (name: string) => flat(numbers.get(`embedding_model.norm0.${name}`) as Tensor)[c]!;
    t.ok(Math.abs(moved('running_mean') - (0.9 * before('running_mean') + 0.1 * mean)) < 1e-6);
    t.ok(Math.abs(moved('running_var') - (0.9 * before('running_var') + 0.1 * variance)) < 1e-6);
  }
  for (const [name, buffer] of buffers) {
    t.ok(flat(buffer).every(Number.isFinite));
    t.notSame([...flat(buffer)], [...flat(numbers.get(name) as Tensor)], `${name} moved`);
  }
  const still = new Map([...buffers].map(([name, each]) => [name, [...flat(each)]]));
  network.absorb!(buffers, new Map());
  for (const [name, values] of still) t.same([...flat(buffers.get(name)!)], values, 'nothing was reported');
});

t.test('dropout: by the seed, between blocks and behind the cut', async (t) => {
  const run = (seed: number, dropout = 0.5) => [
    ...flat(logitsOf(1, { training: true, dropout, seed }).logits),
  ];
  t.same(run(1), run(1));
  t.notSame(run(1), run(2));
  t.same(run(1, 0), run(2, 0));
  // What goes over the cut is not thinned out: nothing in it is zero but what ReLU made so in all passes alike.
  const cut = (seed: number) => [...flat(logitsOf(1, { training: true, dropout: 0.5, seed }).steps.x.value)];
  t.same(cut(1), cut(2));
});

t.test('what cannot be trained', async (t) => {
  const wrong: [Partial<Cnn14Config>, number, RegExp][] = [
    [{ head: 'cosine', headWidth: 6 }, 1, /no training of a cosine head, expected linear/],
    [{ mels: 2 }, 1, /2 mels do not last for 3 blocks/],
    [{}, 4, /it has 3 layers and can't be cut after layer 4/],
    [{}, 0.5, /can't be cut after layer 0.5/],
  ];
  for (const [change, layer, message] of wrong) {
    t.throws(() => trainableCnn14({ ...config, ...change }, layer), { code: 'ACOM_MODEL', message });
  }
  const network = trainableCnn14(config, 1);
  const pass = passOf(numbers, { training: false });
  t.throws(() => network.prefix(pass, { x: constant(zeros([5, 9])), lengths: [4] }), { code: 'ACOM_SHAPE' });
});
