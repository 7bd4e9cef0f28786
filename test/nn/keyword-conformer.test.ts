/** Keyword conformers against float64 formulas; cut anywhere; what the kind says of them. */
import t from 'tap';
import {
  ConformerEncoder,
  type KeywordConformerConfig,
  KeywordConformerPrefix,
  KeywordConformerSuffix,
  keywordConformerKind,
  Parameters,
} from '../../src/nn/index.js';
import { type KernelChoice, withKernels } from '../../src/ops/index.js';
import { createNormal, createRandom, flat, type Tensor, view, zeros } from '../../src/tensor/index.js';
import { KEYWORD_CONFORMER, randomWeights } from '../support/classifiers.js';

const config = KEYWORD_CONFORMER;
const { layers, width } = config.encoder;
const weights = new Map(
  [...(await randomWeights(config, 4))].map(([name, { data, shape }]) => [name, view(data, shape)] as const),
);
const normal = createNormal(createRandom(9));
const tensor = (...shape: number[]): Tensor => {
  const x = zeros(shape);
  for (let i = 0; i < x.data.length; i++) x.data[i] = normal();
  return x;
};
const parameters = () => new Parameters(weights);
const numbers = (name: string): Float32Array => flat(weights.get(name) as Tensor);

/** [steps, bands, channels] in float64. */
interface Image {
  readonly steps: number;
  readonly bands: number;
  readonly channels: number;
  at(step: number, band: number, channel: number): number;
}

const imageOf = (steps: number, bands: number, channels: number, data: ArrayLike<number>): Image => ({
  ...{ steps, bands, channels },
  at: (t, f, c) => (t < 0 || t >= steps || f < 0 || f >= bands ? 0 : data[(t * bands + f) * channels + c]!),
});

const fill = (
  steps: number,
  bands: number,
  channels: number,
  value: (t: number, f: number, c: number) => number,
): Image => {
  const data = Float64Array.from({ length: steps * bands * channels }, (_, i) =>
    value(Math.floor(i / (bands * channels)), Math.floor(i / channels) % bands, i % channels),
  );
  return imageOf(steps, bands, channels, data);
};

const half = (length: number, stride: number): number => Math.ceil(length / stride);
const TAPS = [0, 1, 2];

/** Layer norm over bands and channels, then ReLU. */
function normed(name: string, x: Image): Image {
  const [gain, bias] = [numbers(`${name}.weight`), numbers(`${name}.bias`)];
  const rows = Array.from({ length: x.steps }, (_, step) => {
    const row = Array.from({ length: x.bands * x.channels }, (_, i) =>
      x.at(step, Math.floor(i / x.channels), i % x.channels),
    );
    const mean = row.reduce((sum, v) => sum + v, 0) / row.length;
    const variance = row.reduce((sum, v) => sum + (v - mean) ** 2, 0) / row.length;
    return { mean, deviation: Math.sqrt(variance + 1e-5) };
  });
  return fill(x.steps, x.bands, x.channels, (step, f, c) => {
    const { mean, deviation } = rows[step]!;
    const i = f * x.channels + c;
    return Math.max(0, ((x.at(step, f, c) - mean) / deviation) * gain[i]! + bias[i]!);
  });
}

/** What the CNN and the linear after it make of features, by the formulas: rows of `width` numbers. */
function embedded(network: KeywordConformerConfig, features: Tensor): number[][] {
  const [, frames, mels] = features.shape as [number, number, number];
  let x = imageOf(frames, mels, 1, flat(features));
  network.strides.forEach(([time, frequency], n) => {
    const [steps, bands, channels] = [half(x.steps, time), half(x.bands, frequency), network.channels];
    const before = x;
    const filtered = (weight: Float32Array, c: number, from: number) => (step: number, f: number) =>
      TAPS.reduce(
        (sum, dt) =>
          TAPS.reduce(
            (inner, df) =>
              inner +
              weight[9 * c + 3 * dt + df]! * before.at(step * time + dt - 1, f * frequency + df - 1, from),
            sum,
          ),
        0,
      );
    if (n === 0) {
      const [weight, bias] = [numbers('stem.conv.weight'), numbers('stem.conv.bias')];
      const y = fill(steps, bands, channels, (step, f, c) => filtered(weight, c, 0)(step, f) + bias[c]!);
      x = normed('stem.norm', y);
      return;
    }
    const name = `blocks.${n - 1}`;
    const depthwise = numbers(`${name}.depthwise.weight`);
    const z = fill(steps, bands, channels, (step, f, c) => filtered(depthwise, c, c)(step, f));
    const [weight, bias] = [numbers(`${name}.pointwise.weight`), numbers(`${name}.pointwise.bias`)];
    const y = fill(steps, bands, channels, (step, f, c) => {
      let sum = bias[c]!;
      for (let i = 0; i < channels; i++) sum += weight[c * channels + i]! * z.at(step, f, i);
      return sum;
    });
    x = normed(`${name}.norm`, y);
  });
  const [weight, bias] = [numbers('linear.weight'), numbers('linear.bias')];
  const columns = x.bands * x.channels;
  return Array.from({ length: x.steps }, (_, step) =>
    Array.from(bias, (b, o) => {
      let sum = b;
      for (let i = 0; i < columns; i++) {
        sum += weight[o * columns + i]! * x.at(step, Math.floor(i / x.channels), i % x.channels);
      }
      return sum;
    }),
  );
}

const difference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  a.length === b.length
    ? Array.from(a, (x, i) => Math.abs(x - b[i]!)).reduce((x, y) => Math.max(x, y), 0)
    : Number.POSITIVE_INFINITY;

t.test('every cut by the formulas, on each choice of kernels', async (t) => {
  for (const frames of [41, 40, 7, 1]) {
    const features = tensor(1, frames, config.mels);
    const rows = embedded(config, features);
    for (const kernels of ['auto', 'reference', 'check'] as KernelChoice[]) {
      withKernels(kernels, () => {
        const steps = keywordConformerKind.steps(config, 0, frames);
        const cut = new KeywordConformerPrefix(parameters(), config, 0).forward(features);
        t.same(cut.shape, [1, steps, width], `${frames} frames`);
        t.ok(difference(flat(cut), rows.flat()) < 1e-5, `${kernels}: layer 0 of ${frames} frames`);
        // The encoder alone has oracles of its own.
        const encoded = new ConformerEncoder(parameters().scope('encoder'), config.encoder).forward(cut);
        const [weight, bias] = [numbers('head.weight'), numbers('head.bias')];
        const mean = Array.from({ length: width }, (_, i) => {
          let sum = 0;
          for (let step = 0; step < steps; step++) sum += flat(encoded)[step * width + i]!;
          return sum / steps;
        });
        const logits = Array.from(bias, (b, c) =>
          mean.reduce((s, v, i) => s + weight[c * width + i]! * v, b),
        );
        const total = Math.log(logits.reduce((sum, v) => sum + Math.exp(v), 0));
        for (let layer = 0; layer <= layers; layer++) {
          const x = new KeywordConformerPrefix(parameters(), config, layer).forward(features);
          const classes = new KeywordConformerSuffix(parameters(), config, layer).forward(x);
          t.same(classes.shape, [1, config.classes]);
          const off = difference(
            flat(classes),
            logits.map((v) => v - total),
          );
          t.ok(off < 1e-5, `${kernels}: ${frames} frames cut after layer ${layer}, ${off} off`);
        }
      });
    }
  }
});

t.test('an item of a batch comes out as it does alone', async (t) => {
  const x = tensor(2, 30, config.mels);
  const run = (features: Tensor) =>
    new KeywordConformerSuffix(parameters(), config, 1).forward(
      new KeywordConformerPrefix(parameters(), config, 1).forward(features),
    );
  const together = flat(run(x));
  for (let b = 0; b < 2; b++) {
    const alone = flat(run(x.lo(b, 0, 0).hi(1, 30, config.mels)));
    t.ok(difference(alone, together.subarray(5 * b, 5 * b + 5)) < 1e-5);
  }
  t.ok(difference(together.subarray(0, 5), together.subarray(5)) > 1e-2, 'they differ');
});

t.test('what the kind says, by hand', async (t) => {
  const kind = keywordConformerKind;
  kind.check(config);
  t.equal(kind.task, 'classification');
  t.equal(kind.features(config), 16);
  t.equal(kind.layers(config), 3);
  t.same([kind.leastFrames(config), kind.mostFrames(config)], [1, 4096]);
  for (let layer = 0; layer <= 3; layer++) t.same(kind.cut(config, layer), { bands: 1, channels: 8 });
  t.same(
    [1, 2, 4, 5, 41, 101].map((frames) => kind.steps(config, 1, frames)),
    [1, 1, 1, 2, 11, 26],
  );
  t.match(kind.describe(config), 'keyword conformer, 2 separable blocks of 6 channels, width 8, 3 layers');
  // 41 x 16 to 21 x 8, 11 x 4 and 11 x 4 pixels of 6 channels.
  const cnn = 21 * 8 * 6 * 9 + 2 * (11 * 4 * 6 * (9 + 6)) + 11 * 4 * 6 * 8;
  // Feed-forwards, projections, positions, scores of contents and of positions, values, convolution.
  const layer =
    4 * 8 * 12 * 11 + 4 * 64 * 11 + 64 * 21 + 8 * 11 * 11 + 8 * 11 * 21 + 8 * 11 * 11 + (3 * 64 + 5 * 8) * 11;
  for (let cut = 0; cut <= 3; cut++) {
    t.same(kind.macs(config, cut, 41), { device: cnn + cut * layer, cloud: (3 - cut) * layer + 8 * 5 });
  }
});

t.test('each half needs its tensors, all of them and no others', async (t) => {
  for (let layer = 0; layer <= layers; layer++) {
    const part = (half: string) =>
      new Map([...weights].filter(([name]) => keywordConformerKind.halfOf(config, layer, name) === half));
    const [device, cloud] = [part('device'), part('cloud')];
    t.equal(device.size + cloud.size, weights.size);
    const [deviceParameters, cloudParameters] = [new Parameters(device), new Parameters(cloud)];
    new KeywordConformerPrefix(deviceParameters, config, layer);
    new KeywordConformerSuffix(cloudParameters, config, layer);
    deviceParameters.requireComplete('prefix');
    cloudParameters.requireComplete('suffix');
    for (const missing of weights.keys()) {
      const rest = new Parameters(new Map([...weights].filter(([name]) => name !== missing)));
      new KeywordConformerPrefix(rest, config, layer);
      new KeywordConformerSuffix(rest, config, layer);
      t.throws(() => rest.requireComplete('network'), { code: 'ACOM_MODEL' }, missing);
    }
  }
  for (const stranger of [
    '',
    'stem.conv',
    'stem.depthwise.weight',
    'blocks.2.norm.bias',
    'blocks.0.depthwise.bias',
    'xhead.weight',
    'encoder.layers.3.norm1.norm.weight',
    'encoder.norm.weight',
  ]) {
    t.equal(keywordConformerKind.halfOf(config, 1, stranger), null, stranger);
  }
});

t.test('configurations that could be no network, and inputs that are none', async (t) => {
  const { encoder } = config;
  const wrong: [Record<string, unknown>, RegExp][] = [
    [{ mels: 0 }, /mels is 0, expected a whole number from 1 to 1024/],
    [{ channels: 2.5 }, /channels is 2.5/],
    [{ classes: Number.NaN }, /classes is NaN/],
    [{ strides: [] }, /convolutions is 0/],
    [{ strides: Array(33).fill([1, 1]) }, /convolutions is 33/],
    [{ strides: 2 }, /strides are no list of pairs/],
    [{ strides: [2, 2] }, /strides are no list of pairs/],
    [{ strides: [[2, 2], [1]] }, /strides are no list of pairs/],
    [{ strides: [[2, 9]] }, /strides is 9, expected a whole number from 1 to 8/],
    [{ strides: [['2', 2]] }, /strides is 2/],
    [{ encoder: undefined }, /width is undefined/],
    [{ encoder: { ...encoder, heads: 3 } }, /a width of 8 does not divide into 3 heads/],
    [{ encoder: { ...encoder, depthwiseTaps: 4 } }, /4 depthwise taps have no centre/],
    [{ encoder: { ...encoder, positions: 'none' } }, /positions are none/],
    [{ encoder: { ...encoder, heads: 8, positions: 'rotary' } }, /heads have 1/],
    // Each size alone could be.
    [{ mels: 1024, channels: 4096 }, /the stem gives 2097152 numbers a time step/],
  ];
  for (const [change, message] of wrong) {
    const broken = { ...config, ...change } as unknown as KeywordConformerConfig;
    t.throws(() => keywordConformerKind.check(broken), { name: 'ModelError', message });
  }
  const prefix = new KeywordConformerPrefix(parameters(), config, 1);
  const suffix = new KeywordConformerSuffix(parameters(), config, 1);
  for (const shape of [[1, 9, 15], [9, 16], []]) {
    t.throws(() => prefix.forward(zeros(shape)), { code: 'ACOM_SHAPE' });
    t.throws(() => suffix.forward(zeros(shape)), { code: 'ACOM_SHAPE' });
  }
});
