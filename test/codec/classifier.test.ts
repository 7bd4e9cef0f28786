/**
 * Classifiers through the codec. With a codeword for each vector of the training recordings nothing is lost, so what the
 * cloud says of those must be what the plain layers say, whatever the layer, the vectors, the groups and the pooling.
 */
import t from 'tap';
import { floorFeatures, LogMel, Mfcc } from '../../src/audio/index.js';
import { readSafetensors } from '../../src/checkpoints/index.js';
import { loadCodecModel, loadNetworkModel, type NetworkModelConfig } from '../../src/codec/index.js';
import { Parameters } from '../../src/nn/index.js';
import { loadPrefix } from '../../src/nn/load-prefix.js';
import { loadSuffix } from '../../src/nn/load-suffix.js';
import { type Tensor, view, zeros } from '../../src/tensor/index.js';
import type { FitCodecOptions } from '../../src/training/index.js';
import {
  CLIP,
  CNN14,
  fitted,
  RATE,
  sound,
  tinyCnn14,
  tinyKeywordConformer,
  tinyKeywords,
} from '../support/classifiers.js';

/** Features [frames, features] of a clip, put together here: front end, floor, shift and scale. */
function featuresOf(config: NetworkModelConfig, file: Uint8Array, samples: Float32Array): Tensor {
  const { frontEnd } = config;
  if ('type' in frontEnd) return new Mfcc(frontEnd).frames(samples);
  const features = new LogMel(frontEnd).frames(samples);
  floorFeatures(features.data, frontEnd.topDecibels);
  if (config.normalization === 'none') return features;
  const { tensors } = readSafetensors(file);
  const [mean, deviation] = ['mean', 'std'].map(
    (name) => tensors.get(`normalizer.glob_${name}`)!.data as Float32Array,
  );
  return view(
    features.data.map((x, i) => (x - mean![i % 16]!) / deviation![i % 16]!),
    features.shape,
  );
}

/** Each of `pooling` rows in a row replaced by their mean; a last one that is not full counts its last row again. */
function pooled(x: Tensor, pooling: number): Tensor {
  const [rows, columns] = x.shape as [number, number];
  const out = zeros([rows, columns]);
  for (let r = 0; r < rows; r++) {
    const first = pooling * Math.floor(r / pooling);
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let i = first; i < first + pooling; i++) sum += x.get(Math.min(i, rows - 1), c);
      out.set(r, c, sum / pooling);
    }
  }
  return out;
}

/** Log-probabilities of one clip by the layers alone, pooled at the cut. */
async function plainLayers(file: Uint8Array, layer: number, pooling: number, clip: Float32Array) {
  const { config } = await loadNetworkModel(file);
  const { tensors } = readSafetensors(file);
  const prefix = await loadPrefix(new Parameters(tensors), config.network, layer);
  const suffix = await loadSuffix(new Parameters(tensors), config.network, layer);
  const features = featuresOf(config, file, clip);
  const steps = prefix.forward(view(features.data, [1, ...features.shape])).pick(0, null, null);
  const cut = pooled(steps, pooling);
  return [...suffix.forward(view(cut.data, [1, ...cut.shape])).data];
}

const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a.length === b.length
    ? Array.from(a, (x, i) => Math.abs(x - b[i]!)).reduce((x, y) => Math.max(x, y), 0)
    : Infinity;

interface Case extends Pick<FitCodecOptions, 'vectors' | 'groups' | 'pooling' | 'metric'> {
  readonly layers: readonly number[];
}

const CASES: readonly Case[] = [
  { layers: [0, 1, 2, 3] },
  { layers: [0, 1, 2, 3], vectors: 'position' },
  { layers: [1, 3], groups: 2 },
  { layers: [2, 3], groups: 4, pooling: 2 },
  { layers: [1, 2], vectors: 'position', groups: 2, pooling: 3 },
  { layers: [3], pooling: 5 },
  { layers: [1, 2], metric: 'reader' },
  { layers: [1, 2], metric: 'reader', vectors: 'position', groups: 2 },
];

const networks: Readonly<Record<string, { file: Uint8Array; clip: number; rate: number }>> = {
  cnn14: { file: await tinyCnn14(), clip: CLIP, rate: RATE },
  'cnn14 with a cosine head, features as they are': {
    file: await tinyCnn14({ network: { ...CNN14, head: 'cosine', headWidth: 6 }, normalization: 'none' }, 2),
    clip: CLIP,
    rate: RATE,
  },
  'keyword conformer': { file: await tinyKeywordConformer(), clip: CLIP, rate: RATE },
  'plain keyword network': { file: await tinyKeywords('plain'), clip: 1000, rate: 16_000 },
  'separable keyword network': { file: await tinyKeywords('separable'), clip: 1000, rate: 16_000 },
};

for (const [name, { file, clip, rate }] of Object.entries(networks)) {
  t.test(`${name}: without loss at the cut, the classes are those of the layers`, async (t) => {
    const recordings = [1, 2, 3].map((seed) => sound(clip, seed, rate));
    const uncut = await (await loadNetworkModel(file)).uncutClassifier();
    for (const { layers, ...layout } of CASES) {
      for (const splitLayer of layers) {
        const what = `layer ${splitLayer}, ${JSON.stringify(layout)}`;
        const options: FitCodecOptions = { splitLayer, codebooks: 1, codewords: 1, ...layout };
        // A trial run tells how many vectors there are, and whether the width divides.
        let vectors: number;
        try {
          const trial = await loadCodecModel(await fitted(file, options, recordings, rate));
          vectors = (await trial.deviceEncoder()).quantize(recordings[0]!, rate).shape[0]!;
        } catch (error) {
          // Some layers do not fit every case: so many groups, or a reader whose metric is known.
          if (!/a divisor of the width|neither a linear layer nor/.test(String(error))) throw error;
          continue;
        }
        const exact = { ...options, codewords: vectors * recordings.length };
        const model = await loadCodecModel(await fitted(file, exact, recordings, rate));
        const [device, cloud] = [await model.deviceEncoder(), await model.cloudClassifier()];
        for (const samples of recordings) {
          const bytes = device.encode(samples, rate);
          const { indices } = cloud.coder.read(bytes);
          const heard = cloud.logProbabilities(indices, clip);
          const expected = await plainLayers(file, splitLayer, layout.pooling ?? 1, samples);
          t.ok(difference(heard, expected) < 1e-4, `${what}: ${difference(heard, expected)} off`);
          const verdict = cloud.classify(bytes);
          const best = expected.indexOf(Math.max(...expected));
          t.equal(verdict.label, model.config.labels[best], what);
          t.ok(Math.abs(verdict.confidence - Math.exp(expected[best]!)) < 1e-4);
          if (layout.pooling !== undefined) continue;
          const plain = uncut.classify(samples, rate);
          t.equal(plain.label, verdict.label);
          t.ok(Math.abs(plain.confidence - verdict.confidence) < 1e-4, 'the uncut model says the same');
        }
      }
    }
  });
}

t.test('what the layers say differs between sounds by far more than the tolerance', async (t) => {
  for (const [name, { file, clip, rate }] of Object.entries(networks)) {
    const said = [1, 2, 3].map((seed) => plainLayers(file, 0, 1, sound(clip, seed, rate)));
    const [first, ...others] = await Promise.all(said);
    for (const other of others)
      t.ok(difference(first!, other) > 1e-2, `${name}: ${difference(first!, other)}`);
  }
});

t.test('halves on their own, pieces, fewer codebooks', async (t) => {
  const file = networks['cnn14']!.file;
  const recordings = [4, 5, 6].map((seed) => sound(3 * CLIP, seed));
  const options = { codebooks: 3, codewords: 8, vectors: 'position', groups: 2, pooling: 2 } as const;
  const model = await loadCodecModel(await fitted(file, { splitLayer: 2, ...options }, recordings));
  const [device, cloud] = [await model.deviceEncoder(), await model.cloudClassifier()];
  const split = await model.split();
  const deviceAlone = await (await loadCodecModel(split.device)).deviceEncoder();
  const cloudModel = await loadCodecModel(split.cloud);
  const cloudAlone = await cloudModel.cloudClassifier();
  t.equal(cloudModel.fingerprint, model.fingerprint);
  await t.rejects(cloudModel.deviceEncoder(), { code: 'ACOM_MODEL', message: /only the cloud half/ });
  await t.rejects(loadNetworkModel(split.device), { code: 'ACOM_MODEL', message: /load the whole model/ });
  for (const rate of [RATE, 11_025, 44_100]) {
    const samples = sound(Math.round(3.3 * CLIP * (rate / RATE)), 9, rate);
    const whole = device.encode(samples, rate, { packetSeconds: 0.4 });
    t.same(deviceAlone.encode(samples, rate, { packetSeconds: 0.4 }), whole, `${rate}: the device file`);
    t.same(cloudAlone.classify(whole), cloud.classify(whole), 'the cloud file');
    const stream = device.stream(rate, { packetSeconds: 0.4 });
    for (let at = 0, n = 1; at < samples.length; at += n, n = (7 * n + 3) % 5000)
      stream.push(samples.subarray(at, at + n));
    t.same(stream.finish(), whole, 'in pieces');
    for (let codebooks = 1; codebooks <= 3; codebooks++) {
      const fewer = device.encode(samples, rate, { packetSeconds: 0.4, codebooks });
      t.same(cloud.coder.truncate(whole, codebooks), fewer, `${codebooks} codebooks`);
      const verdict = cloud.classify(fewer);
      t.equal(verdict.codebooks, codebooks);
      t.same(cloud.classify(whole, { codebooks }), verdict);
      t.equal(cloud.coder.read(fewer).indices.shape[1], 2 * codebooks, 'a stage for each group');
    }
    for (const codebooks of [0, 4, 1.5]) {
      t.throws(() => device.encode(samples, rate, { codebooks }), {
        code: 'ACOM_USAGE',
        message: /from 1 to 3/,
      });
      t.throws(() => cloud.classify(whole, { codebooks }), { code: 'ACOM_USAGE', message: /use 1 to 3/ });
    }
  }
});

t.test('the verdict on several clips is the mean of their probabilities', async (t) => {
  const uncut = await (await loadNetworkModel(networks['cnn14']!.file)).uncutClassifier();
  const samples = sound(3.7 * CLIP, 11);
  const clips = [0, 1, 2, 3].map((n) => uncut.classify(samples.subarray(n * CLIP, (n + 1) * CLIP), RATE));
  const whole = uncut.classify(samples, RATE);
  t.same(
    whole.clips.map(({ start, end }) => [start, end]),
    [
      [0, 0.4],
      [0.4, 0.8],
      [0.8, 1.2],
      [1.2, 1.48],
    ],
  );
  t.same(
    whole.clips.map(({ label }) => label),
    clips.map(({ label }) => label),
  );
  for (const { label, probability } of whole.classes) {
    const mean = clips.reduce(
      (sum, { classes }) => sum + classes.find((c) => c.label === label)!.probability / 4,
      0,
    );
    t.ok(Math.abs(mean - probability) < 1e-9, label);
  }
  const total = whole.classes.reduce((sum, { probability }) => sum + probability, 0);
  t.ok(Math.abs(total - 1) < 1e-6);
  t.equal(whole.label, whole.classes[0]!.label);
  t.ok(
    whole.classes.every(({ probability }, i) => i === 0 || probability <= whole.classes[i - 1]!.probability),
  );
});
