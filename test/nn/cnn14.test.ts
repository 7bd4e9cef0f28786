/** CNN14: where it can be cut, what it takes, its heads. Its numbers are compared with SpeechBrain's in test/oracle. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { type Cnn14Config, Cnn14Prefix, Cnn14Suffix, cnn14Kind, Parameters } from '../../src/nn/index.js';
import {
  createRandom,
  type NdArray,
  type Tensor,
  type TypedArray,
  view,
  zeros,
} from '../../src/tensor/index.js';
import { shared, skipWithout } from '../support/shared.js';

const published: Cnn14Config = {
  type: 'cnn14',
  mels: 80,
  channels: [64, 128, 256, 512, 1024, 2048],
  classes: 50,
  head: 'linear',
};
const publishedCosine: Cnn14Config = { ...published, head: 'cosine', headWidth: 192 };
const small: Cnn14Config = { type: 'cnn14', mels: 9, channels: [4, 8, 8], classes: 5, head: 'linear' };

/** Names and shapes of what a network needs. */
function shapesOf({ mels, channels, classes, head, headWidth = 0 }: Cnn14Config): Map<string, number[]> {
  const shapes = new Map<string, number[]>();
  const norm = (name: string, size: number) => {
    for (const part of ['weight', 'bias', 'running_mean', 'running_var'])
      shapes.set(`${name}.${part}`, [size]);
  };
  norm('embedding_model.norm0', mels);
  channels.forEach((out, b) => {
    const block = `embedding_model.conv_block${b + 1}`;
    shapes.set(`${block}.conv1.weight`, [out, channels[b - 1] ?? 1, 3, 3]);
    shapes.set(`${block}.conv2.weight`, [out, out, 3, 3]);
    norm(`${block}.norm1`, out);
    norm(`${block}.norm2`, out);
  });
  const features = channels[channels.length - 1]!;
  if (head === 'linear') {
    shapes.set('classifier.weight', [classes, features]);
    shapes.set('classifier.bias', [classes]);
  } else {
    shapes.set('classifier.weight', [classes, headWidth]);
    norm('classifier.blocks.0.norm', features);
    shapes.set('classifier.blocks.1.w.weight', [headWidth, features]);
    shapes.set('classifier.blocks.1.w.bias', [headWidth]);
  }
  return shapes;
}

const random = createRandom(5);
const tensor = (...shape: number[]): Tensor => {
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = 2 * random() - 1;
  return x;
};
function weightsOf(config: Cnn14Config): Map<string, NdArray<TypedArray>> {
  return new Map(
    [...shapesOf(config)].map(([name, shape]) => {
      const x = tensor(...shape);
      const positive = name.endsWith('running_var') ? x.data.map((value) => 0.5 + Math.abs(value)) : x.data;
      return [name, view(positive, shape)];
    }),
  );
}

t.test('multiply-accumulates, in thousand millions, by the table of facts/speechbrain.md', async (t) => {
  const inBillions = (n: number) => Number((n / 1e9).toFixed(4));
  const rows: [number, number[], number[]][] = [
    [87, [0.2606, 0.3804, 0.3716, 0.3539, 0.3539, 0.2265], [0.2606, 0.641, 1.0126, 1.3665, 1.7204, 1.9469]],
    [
      431,
      [1.2909, 1.9022, 1.8933, 1.8756, 1.8403, 1.4722],
      [1.2909, 3.1931, 5.0864, 6.9621, 8.8023, 10.2745],
    ],
  ];
  for (const [frames, blocks, cumulative] of rows) {
    t.equal(cnn14Kind.macs(published, 0, frames).device, 0);
    for (let layer = 1; layer <= 6; layer++) {
      const here = cnn14Kind.macs(published, layer, frames);
      const before = cnn14Kind.macs(published, layer - 1, frames);
      t.equal(inBillions(here.device), cumulative[layer - 1], `${frames} frames, ${layer}: device`);
      t.equal(inBillions(here.device - before.device), blocks[layer - 1], `block ${layer}`);
      t.equal(here.device + here.cloud, before.device + before.cloud, 'both halves together');
    }
    const head = (config: Cnn14Config) => cnn14Kind.macs(config, 6, frames).cloud;
    t.equal(head(published), 2048 * 50);
    t.equal(head(publishedCosine), 2048 * 192 + 192 * 50);
  }
});

t.test('shapes at the cuts, by the table', async (t) => {
  const inputs = [
    [80, 1],
    [40, 64],
    [20, 128],
    [10, 256],
    [5, 512],
    [2, 1024],
    [2, 2048],
  ];
  const steps = { 87: [87, 43, 21, 10, 5, 2, 2], 431: [431, 215, 107, 53, 26, 13, 13] };
  inputs.forEach(([bands, channels], layer) => {
    t.same(cnn14Kind.cut(published, layer), { bands, channels }, `layer ${layer}`);
    for (const [frames, lengths] of Object.entries(steps)) {
      t.equal(cnn14Kind.steps(published, layer, Number(frames)), lengths[layer], `${frames} frames`);
    }
  });
  t.equal(cnn14Kind.layers(published), 6);
  t.equal(cnn14Kind.leastFrames(published), 32);
});

t.test('the half that needs each tensor is the one that asks for it', async (t) => {
  for (const config of [small, { ...small, head: 'cosine' as const, headWidth: 6 }]) {
    for (let layer = 0; layer <= 3; layer++) {
      const asked = (build: (parameters: Parameters) => unknown) => {
        const names = new Set<string>();
        const all = weightsOf(config);
        const recording = new (class extends Map<string, NdArray<TypedArray>> {
          override get(name: string) {
            names.add(name);
            return all.get(name);
          }
        })();
        const parameters = new Parameters(recording);
        build(parameters);
        parameters.requireComplete('cnn14');
        return [...names].sort();
      };
      const needed = (half: string) =>
        [...shapesOf(config).keys()].filter((name) => cnn14Kind.halfOf(config, layer, name) === half).sort();
      t.same(
        asked((p) => new Cnn14Prefix(p, config, layer)),
        needed('device'),
        `device, ${layer}`,
      );
      t.same(
        asked((p) => new Cnn14Suffix(p, config, layer)),
        needed('cloud'),
        `cloud, ${layer}`,
      );
    }
  }
  const nobody = [
    'embedding_model.norm0.num_batches_tracked',
    'embedding_model.conv_block1.norm1.num_batches_tracked',
    'embedding_model.conv_block4.conv1.weight',
    'embedding_model.conv_block0.conv1.weight',
    'embedding_model.conv_block01.conv1.weight',
    'embedding_model.conv_block1.conv3.weight',
    'embedding_model.conv_block1.conv1.bias',
    'classifier.blocks.1.w.weight',
    'conv_block1.conv1.weight',
    'xembedding_model.norm0.weight',
    '',
  ];
  for (const name of nobody) t.equal(cnn14Kind.halfOf(small, 1, name), null, name);
});

t.test(
  'names of the published state dicts',
  { skip: skipWithout('oracle/published_state_dicts') },
  async (t) => {
    const read = (file: string) =>
      JSON.parse(readFileSync(shared(`oracle/published_state_dicts/${file}.json`), 'utf8')) as Record<
        string,
        number[]
      >;
    const expected = shapesOf(publishedCosine);
    const found = new Map([
      ...Object.entries(read('cnn14_embedding_model')).map(([n, s]) => [`embedding_model.${n}`, s] as const),
      ...Object.entries(read('cnn14_hf_classifier')).map(([n, s]) => [`classifier.${n}`, s] as const),
    ]);
    for (const [name, shape] of found) {
      const half = cnn14Kind.halfOf(publishedCosine, 3, name);
      t.equal(half === null, name.endsWith('num_batches_tracked'), `${name}: ${half}`);
      if (half !== null) t.same(expected.get(name), shape, name);
    }
    t.equal(
      [...found.keys()].filter((name) => cnn14Kind.halfOf(publishedCosine, 3, name)).length,
      expected.size,
    );
  },
);

t.test('configurations that could be no network', async (t) => {
  const wrong: [Partial<Record<keyof Cnn14Config, unknown>>, RegExp][] = [
    [{ mels: 0 }, /mels is 0/],
    [{ mels: 3 }, /3 mels do not last for 3 blocks, expected at least 4/],
    [{ channels: [] }, /blocks is 0/],
    [{ channels: Array(11).fill(1) }, /blocks is 11/],
    [{ channels: [4, 1e9] }, /channels is 1000000000, expected a whole number from 1 to 8192/],
    [{ channels: [4, 2.5] }, /channels is 2.5/],
    [{ channels: 64 }, /channels is no list/],
    [{ classes: Number.NaN }, /classes is NaN/],
    [{ head: 'softmax' }, /head is softmax, expected linear or cosine/],
    [{ head: 'cosine' }, /headWidth is undefined/],
  ];
  for (const [change, message] of wrong) {
    const config = { ...small, ...change } as unknown as Cnn14Config;
    t.throws(() => cnn14Kind.check(config), { name: 'ModelError', message });
  }
  for (const config of [small, published, publishedCosine]) cnn14Kind.check(config);
});

t.test('heads: probabilities, and cosines times 30 before softmax', async (t) => {
  const configs: Cnn14Config[] = [small, { ...small, head: 'cosine', headWidth: 6 }];
  for (const config of configs) {
    const parameters = new Parameters(weightsOf(config));
    const cut = new Cnn14Prefix(parameters, config, 2).forward(tensor(2, 11, 9));
    t.same(cut.shape, [2, 2, 2 * 8]);
    const suffix = new Cnn14Suffix(parameters, config, 2);
    const [scores, logProbs] = [suffix.scores(cut), suffix.forward(cut)];
    t.same(logProbs.shape, [2, 5]);
    const factor = config.head === 'cosine' ? 30 : 1;
    if (factor === 30) t.ok(scores.data.every((cosine) => Math.abs(cosine) <= 1 + 1e-6));
    for (let b = 0; b < 2; b++) {
      const row = [...scores.data.subarray(5 * b, 5 * b + 5)].map((score) => factor * score);
      const total = Math.log(row.reduce((sum, score) => sum + Math.exp(score), 0));
      row.forEach((score, c) => {
        t.ok(Math.abs(logProbs.data[5 * b + c]! - (score - total)) < 1e-4, `${config.head}, class ${c}`);
      });
    }
  }
});

t.test('an item of a batch comes out as it does alone, and the shortest clip comes out', async (t) => {
  const parameters = new Parameters(weightsOf(small));
  const [prefix, suffix] = [new Cnn14Prefix(parameters, small, 1), new Cnn14Suffix(parameters, small, 1)];
  const frames = cnn14Kind.leastFrames(small);
  t.equal(frames, 4);
  const x = tensor(2, frames, 9);
  const together = suffix.forward(prefix.forward(x));
  t.ok(together.data.every(Number.isFinite));
  for (let b = 0; b < 2; b++) {
    const alone = suffix.forward(prefix.forward(x.lo(b, 0, 0).hi(1, frames, 9)));
    // The linear head sums in another order where there are more rows.
    t.ok(alone.data.every((value, c) => Math.abs(value - together.data[5 * b + c]!) < 1e-5));
  }
  t.throws(() => suffix.forward(prefix.forward(tensor(1, frames - 1, 9))), {
    code: 'ACOM_SHAPE',
    message: /smaller than the window 2 x 2/,
  });
  t.throws(() => prefix.forward(tensor(1, 8, 10)), { message: /features has shape \[1, 8, 10\]/ });
  t.throws(() => suffix.forward(tensor(1, 3, 15)), { message: /x has shape \[1, 3, 15\]/ });
});

t.test('weights that are missing or misshapen', async (t) => {
  const weights = weightsOf(small);
  weights.delete('embedding_model.conv_block2.conv1.weight');
  weights.set('embedding_model.conv_block2.norm2.bias', tensor(3));
  const parameters = new Parameters(weights);
  const prefix = new Cnn14Prefix(parameters, small, 3);
  t.throws(() => parameters.requireComplete('cnn14'), {
    message: /conv_block2.conv1.weight is missing; .*conv_block2.norm2.bias has shape \[3\], expected \[8\]/,
  });
  t.throws(() => prefix.forward(tensor(1, 8, 9)), { code: 'ACOM_MODEL', message: /lacks weights/ });
});
