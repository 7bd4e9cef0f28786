/** A keyword conformer in training: the values of inference, gradients by finite differences, dropout. */
import t from 'tap';
import { constant } from '../../../src/autograd/index.js';
import {
  type KeywordConformerConfig,
  KeywordConformerPrefix,
  KeywordConformerSuffix,
  Parameters,
} from '../../../src/nn/index.js';
import { logSoftmax } from '../../../src/ops/index.js';
import { contiguous, createRandom, flat, reshape, type Tensor, view } from '../../../src/tensor/index.js';
import { trainableKeywordConformer } from '../../../src/training/networks/keyword-conformer.js';
import { KEYWORD_CONFORMER as config, randomWeights } from '../../support/classifiers.js';
import { checkGradients, randomTensor } from '../../support/gradients.js';
import { initialNumbers, type Numbers, passOf } from '../../support/passes.js';

const random = createRandom(43);
const tensor = (...shape: number[]): Tensor => randomTensor(random, ...shape);
const numbersFor = async (network: KeywordConformerConfig): Promise<Map<string, Tensor>> =>
  new Map(
    [...(await randomWeights(network, 7))].map(([name, { data, shape }]) => [
      name,
      view(data as Float32Array, shape),
    ]),
  );
const numbers: Numbers = await numbersFor(config);
const lengths = [13, 8, 1];
const x = tensor(22, config.mels);

const run = (splitLayer: number, options: { training: boolean; dropout: number; seed?: number }) => {
  const network = trainableKeywordConformer(config, splitLayer, { dropout: options.dropout });
  const pass = passOf(numbers, { ...options, variables: false });
  const steps = network.prefix(pass, { x: constant(x), lengths });
  const out = network.suffix(pass, steps);
  return { steps, logits: out.x.value, lengths: out.lengths };
};

t.test('without training: what inference computes, for recordings of any length, at any cut', async (t) => {
  for (let splitLayer = 0; splitLayer <= config.encoder.layers; splitLayer++) {
    // Dropout does nothing then.
    const { steps, logits, lengths: after } = run(splitLayer, { training: false, dropout: 0.5 });
    const prefix = new KeywordConformerPrefix(new Parameters(numbers), config, splitLayer);
    const suffix = new KeywordConformerSuffix(new Parameters(numbers), config, splitLayer);
    t.same(after, [1, 1, 1]);
    let [row, step] = [0, 0];
    lengths.forEach((frames, n) => {
      const part = contiguous(x.lo(row, 0).hi(frames, config.mels));
      const cut = prefix.forward(reshape(part, [1, frames, config.mels]));
      const [, length, width] = cut.shape as [number, number, number];
      t.equal(steps.lengths[n], length, `steps after ${splitLayer}`);
      const mine = flat(contiguous(steps.x.value.lo(step, 0).hi(length, width)));
      const off = Math.max(...flat(cut).map((value, i) => Math.abs(value - mine[i]!)));
      t.ok(off < 1e-5, `cut after ${splitLayer}: ${off} off`);
      const expected = flat(suffix.forward(cut));
      const found = flat(logSoftmax(contiguous(logits.lo(n, 0).hi(1, config.classes))));
      const wrong = Math.max(...expected.map((value, i) => Math.abs(value - found[i]!)));
      t.ok(wrong < 1e-5, `recording ${n}, cut after ${splitLayer}: ${wrong} off`);
      row += frames;
      step += length;
    });
  }
});

t.test('parameters are those of a model file', async (t) => {
  const network = trainableKeywordConformer(config, 1);
  t.equal(network.buffers.size, 0);
  t.same([...network.parameters.keys()].sort(), [...numbers.keys()].sort());
  for (const [name, { shape }] of numbers) t.same(network.parameters.get(name)?.shape, shape, name);
  const fresh = initialNumbers(network, 1);
  t.ok([...fresh.values()].every((each) => flat(each).every(Number.isFinite)));
  t.ok(flat(fresh.get('blocks.1.norm.weight')!).every((value) => value === 1));
});

t.test('gradients of a tiny one, by finite differences', async (t) => {
  const tiny: KeywordConformerConfig = {
    ...config,
    mels: 6,
    channels: 2,
    strides: [
      [2, 2],
      [1, 2],
    ],
    encoder: { width: 4, heads: 2, layers: 2, feedForward: 3, depthwiseTaps: 3 },
    classes: 3,
  };
  const network = trainableKeywordConformer(tiny, 1);
  const weights = await numbersFor(tiny);
  const names = [...weights.keys()];
  checkGradients(t, 'two recordings', {
    f: (features, ...parameters) => {
      const pass = {
        ...passOf(weights, { training: false }),
        parameter: (name: string) => parameters[names.indexOf(name)]!,
      };
      return network.suffix(pass, network.prefix(pass, { x: features!, lengths: [5, 3] })).x;
    },
    inputs: [tensor(8, 6), ...names.map((name) => weights.get(name)!)],
    step: 1 / 256,
    tolerance: 1e-2,
  });
});

t.test('dropout: by the seed, and nothing that goes over the cut is dropped at layer 0', async (t) => {
  const logits = (seed: number, dropout = 0.3) => [...flat(run(1, { training: true, dropout, seed }).logits)];
  t.same(logits(1), logits(1));
  t.notSame(logits(1), logits(2));
  t.same(logits(1, 0), logits(2, 0));
  const cut = (seed: number) => [...flat(run(0, { training: true, dropout: 0.3, seed }).steps.x.value)];
  t.same(cut(1), cut(2));
});

t.test('what cannot be trained', async (t) => {
  const wrong: [Partial<KeywordConformerConfig>, number, RegExp][] = [
    [{ mels: 0 }, 1, /mels is 0/],
    [{}, 4, /it has 3 layers and can't be cut after layer 4/],
    [{}, 0.5, /can't be cut after layer 0.5/],
    [{ encoder: { ...config.encoder, positions: 'rotary' } }, 1, /rotary positions cannot be trained/],
  ];
  for (const [change, layer, message] of wrong) {
    t.throws(() => trainableKeywordConformer({ ...config, ...change }, layer), {
      code: 'ACOM_MODEL',
      message,
    });
  }
});
