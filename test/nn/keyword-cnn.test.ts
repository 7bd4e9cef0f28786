/**
 * Keyword networks against float64 formulas in numpy, layer by layer; against what came with ARM's; cut anywhere; and on
 * recordings.
 */
import t from 'tap';
import { Mfcc } from '../../src/audio/index.js';
import {
  checkKeywordCnn,
  type KeywordCnnConfig,
  KeywordCnnPrefix,
  KeywordCnnSuffix,
  type KeywordLayerConfig,
  keywordCnnKind,
  keywordMaps,
  Parameters,
} from '../../src/nn/index.js';
import { type KernelChoice, withKernels } from '../../src/ops/index.js';
import {
  concatenate,
  flat,
  ModelError,
  ShapeError,
  type Tensor,
  view,
  zeros,
} from '../../src/tensor/index.js';
import { KEYWORD_FIXTURES, keywordFixture } from '../support/keyword-fixtures.js';
import {
  ARM_FOLDER,
  ARM_NETWORKS,
  classOf,
  featuresOf,
  halvesOf,
  KEYWORD_MANIFEST,
  keywordUtterances,
  loadArmNetwork,
  readUtterance,
} from '../support/keywords.js';
import { shared, skipWithout } from '../support/shared.js';

const difference = (a: Tensor, b: ArrayLike<number>): number => {
  const elements = flat(a);
  if (elements.length !== b.length) return Infinity;
  return elements.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
};

for (const name of KEYWORD_FIXTURES) {
  const { network, expected } = keywordFixture(name);
  const { config, frontEnd } = network;
  const layers = config.layers.length;
  const features = featuresOf(new Mfcc(frontEnd), Float32Array.from(expected.samples));

  t.test(`${name}: features, every map and the classes by the formulas`, async (t) => {
    t.ok(difference(features, expected.features) < 1e-5, 'features');
    for (const kernels of ['auto', 'reference', 'check'] as KernelChoice[]) {
      withKernels(kernels, () => {
        for (let layer = 0; layer <= layers; layer++) {
          const { prefix, suffix } = halvesOf(network, layer);
          const map = prefix.forward(features);
          if (layer > 0) {
            const { shape, values } = expected.maps[layer - 1]!;
            t.same(map.shape, [1, shape[0], shape[1] * shape[2]], `shape after layer ${layer}`);
            const off = difference(map, values);
            t.ok(off < 2e-5, `${kernels}: map after layer ${layer} is ${off} off`);
          }
          const classes = suffix.forward(map);
          t.same(classes.shape, [1, config.classes]);
          const off = difference(classes, expected.logProbabilities);
          t.ok(off < 1e-5, `${kernels}: cut after layer ${layer}, classes are ${off} off`);
        }
      });
    }
  });

  t.test(`${name}: what the kind says of it`, async (t) => {
    keywordCnnKind.check(config);
    t.equal(keywordCnnKind.layers(config), layers);
    t.equal(keywordCnnKind.leastFrames(config), config.frames);
    t.same(keywordCnnKind.cut(config, 0), { bands: config.features, channels: 1 });
    t.equal(keywordCnnKind.steps(config, 0, config.frames), config.frames);
    let device = 0;
    const all = expected.headMacs + expected.maps.reduce((sum, { macs }) => sum + macs, 0);
    expected.maps.forEach(({ shape, macs }, n) => {
      device += macs;
      t.same(keywordCnnKind.cut(config, n + 1), { bands: shape[1], channels: shape[2] });
      t.equal(keywordCnnKind.steps(config, n + 1, config.frames), shape[0]);
      t.same(keywordCnnKind.macs(config, n + 1, config.frames), { device, cloud: all - device });
    });
  });

  t.test(`${name}: each half needs its tensors, all of them and no others`, async (t) => {
    for (let layer = 0; layer <= layers; layer++) {
      const halfOf = (tensor: string) => keywordCnnKind.halfOf(config, layer, tensor);
      const part = (half: string) =>
        new Map([...network.tensors].filter(([tensor]) => halfOf(tensor) === half));
      const [device, cloud] = [part('device'), part('cloud')];
      t.equal(device.size + cloud.size, network.tensors.size);
      const [deviceParameters, cloudParameters] = [new Parameters(device), new Parameters(cloud)];
      const prefix = new KeywordCnnPrefix(deviceParameters, config, layer);
      const suffix = new KeywordCnnSuffix(cloudParameters, config, layer);
      deviceParameters.requireComplete('prefix');
      cloudParameters.requireComplete('suffix');
      t.ok(difference(suffix.forward(prefix.forward(features)), expected.logProbabilities) < 1e-5);
      for (const missing of network.tensors.keys()) {
        const rest = new Parameters(new Map([...network.tensors].filter(([tensor]) => tensor !== missing)));
        new KeywordCnnPrefix(rest, config, layer);
        new KeywordCnnSuffix(rest, config, layer);
        t.throws(() => rest.requireComplete('network'), ModelError, missing);
      }
    }
    for (const stranger of [
      'layers.0',
      'layers.00.bias',
      'layers.9.bias',
      'layers.0.scale',
      'head.norm.bias',
      '',
    ]) {
      t.equal(keywordCnnKind.halfOf(config, 1, stranger), null, stranger);
    }
  });

  t.test(`${name}: a batch gives what each gives alone`, async (t) => {
    const other = features.data.map((value, i) => value * Math.cos(i));
    const both = view(concatenate([features.data, other]), [2, config.frames, config.features]);
    const { prefix, suffix } = halvesOf(network, 1);
    const run = (x: Tensor) => suffix.forward(prefix.forward(x));
    const alone = [features, view(other, features.shape)].map((x) => Float32Array.from(flat(run(x))));
    t.ok(difference(run(both), concatenate(alone)) < 1e-6);
    t.ok(difference(run(features), alone[1]!) > 1e-3, 'they differ');
  });

  t.test(`${name}: features of another shape`, async (t) => {
    const { prefix, suffix } = halvesOf(network, 1);
    for (const shape of [
      [1, config.frames - 1, config.features],
      [1, config.frames, config.features + 1],
      [config.frames, config.features],
      [],
    ]) {
      t.throws(() => prefix.forward(zeros(shape)), ShapeError);
      t.throws(() => suffix.forward(zeros(shape)), ShapeError);
    }
  });
}

t.test('configurations that could not be a network', async (t) => {
  const good: KeywordCnnConfig = {
    type: 'keyword-cnn',
    frames: 20,
    features: 10,
    layers: [
      {
        kind: 'convolution',
        channels: 4,
        kernel: [10, 4],
        stride: [2, 2],
        padding: 'valid',
        norm: true,
        activation: 'relu',
      },
    ],
    classes: 3,
  };
  const [layer] = good.layers as readonly [KeywordLayerConfig];
  checkKeywordCnn(good);
  const wrong: Record<string, unknown>[] = [
    { frames: 0 },
    { frames: 1e9 },
    { features: 2.5 },
    { classes: 0 },
    { layers: [] },
    { layers: null },
    { layers: Array.from({ length: 65 }, () => ({ kind: 'average-pool' })) },
    { layers: [null] },
    { layers: [{ kind: 'dense' }] },
    { layers: [{ ...layer, channels: 0 }] },
    { layers: [{ ...layer, kernel: 3 }] },
    { layers: [{ ...layer, kernel: [3] }] },
    { layers: [{ ...layer, kernel: [21, 4] }] },
    { layers: [{ ...layer, kernel: [4, 128] }] },
    { layers: [{ ...layer, stride: [0, 1] }] },
    { layers: [{ ...layer, padding: 'reflect' }] },
    { layers: [{ ...layer, norm: 1 }] },
    { layers: [{ ...layer, activation: 'swish' }] },
    { layers: [{ kind: 'linear', features: '8', norm: false, activation: 'none' }] },
    // each size alone could be
    { frames: 4096, features: 1024, layers: [{ ...layer, channels: 8192, stride: [1, 1] }] },
    { frames: 4096, layers: [{ kind: 'linear', features: 8192, norm: false, activation: 'none' }] },
    { layers: [{ ...layer, channels: 8192, kernel: [1, 1] }], classes: 65536 },
  ];
  for (const change of wrong) {
    t.throws(
      () => checkKeywordCnn({ ...good, ...change } as KeywordCnnConfig),
      ModelError,
      JSON.stringify(change),
    );
  }
});

t.test(
  "ARM's networks: softmax that came with them, cut after every layer",
  { skip: skipWithout(ARM_FOLDER) },
  async (t) => {
    for (const name of ARM_NETWORKS) {
      const network = loadArmNetwork(name);
      const utterance = await readUtterance(shared(`data/${network.reference.clip}`));
      const features = featuresOf(new Mfcc(network.frontEnd), utterance);
      keywordMaps(network.config).forEach(({ steps, bands, channels }, layer) => {
        const { prefix, suffix } = halvesOf(network, layer);
        const map = prefix.forward(features);
        t.same(map.shape, [1, steps, bands * channels]);
        const probabilities = flat(suffix.forward(map)).map(Math.exp);
        const off = Math.max(...network.reference.softmax.map((p, i) => Math.abs(p - probabilities[i]!)));
        t.ok(off < 2e-5, `${name} cut after layer ${layer}: ${off} off`);
      });
    }
  },
);

/** One clip in so many: all of them take a minute (bench/keywords.ts). */
const EVERY = 23;

t.test(
  "ARM's networks on recordings",
  { skip: skipWithout(KEYWORD_MANIFEST) || skipWithout(ARM_FOLDER) },
  async (t) => {
    const utterances = keywordUtterances().filter((_, i) => i % EVERY === 0);
    const networks = ARM_NETWORKS.map((name) => {
      const network = loadArmNetwork(name);
      return { name, network, halves: halvesOf(network, 1), right: 0 };
    });
    const mfcc = new Mfcc(networks[0]!.network.frontEnd);
    for (const { file, label } of utterances) {
      const features = featuresOf(mfcc, await readUtterance(file));
      for (const each of networks) {
        const { prefix, suffix } = each.halves;
        if (each.network.labels[classOf(suffix.forward(prefix.forward(features)))] === label) each.right++;
      }
    }
    for (const { name, right } of networks) {
      const percent = (100 * right) / utterances.length;
      t.ok(percent > 72, `${name}: ${percent.toFixed(1)} % of ${utterances.length} clips`);
    }
  },
);
