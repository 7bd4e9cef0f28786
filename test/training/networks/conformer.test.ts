/** The conformer in training computes what src/nn computes, and its gradients are those of its values. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { constant } from '../../../src/autograd/index.js';
import { readSafetensors } from '../../../src/checkpoints/index.js';
import {
  type ConformerCtcConfig,
  ConformerPrefix,
  ConformerSuffix,
  Parameters,
  parameterShapes,
} from '../../../src/nn/index.js';
import { logSoftmax } from '../../../src/ops/index.js';
import { concatenate, createRandom, flat, ModelError, type Tensor, view } from '../../../src/tensor/index.js';
import { trainableConformer } from '../../../src/training/networks/conformer.js';
import { checkGradients, randomTensor } from '../../support/gradients.js';
import { initialNumbers, passOf } from '../../support/passes.js';
import { repository } from '../../support/shared.js';

const small: ConformerCtcConfig = {
  type: 'speechbrain-conformer-ctc',
  frontEnd: { mels: 6, channels: [3, 2], kernelSizes: [3, 3], strides: [2, 2] },
  encoder: { width: 6, heads: 2, layers: 2, feedForward: 7, depthwiseTaps: 3 },
  classes: 4,
  head: '2',
};

/** Recordings of `lengths` frames, and all of them one after another. */
function recordings(mels: number, lengths: readonly number[], seed: number) {
  const random = createRandom(seed);
  const each = lengths.map((frames) => randomTensor(random, 1, frames, mels));
  const x = view(concatenate(each.map(({ data }) => data)), [lengths.reduce((a, b) => a + b, 0), mels]);
  return { each, packed: { x: constant(x), lengths } };
}

/** max|a - b| / max|b| */
const relativeGap = (a: Float32Array, b: Float32Array) =>
  a.reduce((gap, value, i) => Math.max(gap, Math.abs(value - b[i]!)), 0) /
  b.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);

t.test(
  'recordings of several lengths in one pass are what the codec makes of each, shipped weights',
  async (t) => {
    const { tensors, metadata } = readSafetensors(
      readFileSync(join(repository, 'weights/commands.safetensors')),
    );
    const { network: config } = JSON.parse(metadata.get('config')!) as { network: ConformerCtcConfig };
    const parameters = tensors as ReadonlyMap<string, Tensor>;
    const { each, packed } = recordings(config.frontEnd.mels, [64, 201, 9, 130], 3);
    for (const split of [0, 3, 4]) {
      const network = trainableConformer(config, split, { dropout: 0.3 });
      t.same(
        new Map([...network.parameters].map(([name, { shape }]) => [name, [...shape]])),
        await parameterShapes(config),
        'names and shapes',
      );
      const pass = passOf(parameters);
      const cut = network.prefix(pass, packed);
      const { x: logits, lengths } = network.suffix(pass, cut);
      const [prefix, suffix] = [
        new ConformerPrefix(new Parameters(tensors), config, split),
        new ConformerSuffix(new Parameters(tensors), config, split),
      ];
      const right = each.map((features) => {
        const steps = prefix.forward(features);
        return { steps, logProbs: suffix.forward(steps) };
      });
      t.same(
        lengths,
        right.map(({ steps }) => steps.shape[1]),
      );
      const joined = (of: readonly Tensor[]) => concatenate(of.map((x) => flat(x)));
      const gaps = {
        steps: relativeGap(flat(cut.x.value), joined(right.map(({ steps }) => steps))),
        logProbs: relativeGap(flat(logSoftmax(logits.value)), joined(right.map(({ logProbs }) => logProbs))),
      };
      for (const [name, gap] of Object.entries(gaps))
        t.ok(gap < 1e-5, `cut after ${split}: ${name} off by ${gap}`);
    }
  },
);

t.test('gradients of all parameters and of the features', async (t) => {
  const network = trainableConformer(small, 1, { dropout: 0 });
  const parameters = initialNumbers(network, 5);
  const { packed } = recordings(small.frontEnd.mels, [9, 5], 8);
  const inputs = new Map([['features', packed.x.value], ...parameters]);
  const check = (name: string, wanted: (input: string) => boolean, step: number) => {
    const names = [...inputs.keys()].filter(wanted);
    checkGradients(t, name, {
      f: (...given) => {
        const pass = passOf(parameters);
        const of = (input: string) => given[names.indexOf(input)] ?? constant(inputs.get(input)!);
        const steps = network.prefix(
          { ...pass, parameter: of },
          { x: of('features'), lengths: packed.lengths },
        );
        return network.suffix({ ...pass, parameter: of }, steps).x;
      },
      inputs: names.map((input) => inputs.get(input)!),
      // Norms over few numbers bend much.
      tolerance: 1e-2,
      step,
    });
  };
  const isFrontEnd = (input: string) => input === 'features' || input.startsWith('0.');
  check('small conformer', (input) => !isFrontEnd(input), 1 / 64);
  // Leaky ReLUs have a kink.
  check('its front end', isFrontEnd, 1 / 1024);
});

t.test('dropout drops in training only, by the seed of the pass', async (t) => {
  const network = trainableConformer(small, 1, { dropout: 0.2 });
  const parameters = initialNumbers(network, 5);
  const { packed } = recordings(small.frontEnd.mels, [9, 5], 8);
  const run = (training: boolean, seed: number) => {
    const pass = passOf(parameters, { training, seed });
    return [...flat(network.suffix(pass, network.prefix(pass, packed)).x.value)];
  };
  t.same(run(false, 1), run(false, 2));
  t.same(run(true, 1), run(true, 1));
  t.notSame(run(true, 1), run(true, 2));
  t.notSame(run(true, 1), run(false, 1));
});

t.test('what cannot be trained is refused', async (t) => {
  const message = (m: RegExp) => ({ constructor: ModelError, message: m });
  t.throws(() => trainableConformer(small, 3, { dropout: 0 }), message(/cut after layer 3, .* from 0 to 2/));
  t.throws(() => trainableConformer(small, 1, { dropout: 1 }), message(/dropout is 1/));
  const rotary = { ...small, encoder: { ...small.encoder, heads: 3, positions: 'rotary' as const } };
  t.throws(
    () => trainableConformer(rotary, 1, { dropout: 0 }),
    message(/rotary positions cannot be trained/),
  );
});
