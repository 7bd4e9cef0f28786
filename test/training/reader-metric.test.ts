/** The reader's metric against what the next layer does with an error, computed place by place in float64. */
import t, { type Test } from 'tap';
import { type NetworkModelConfig, VectorLayout } from '../../src/codec/index.js';
import type { Cnn14Config, KeywordCnnConfig, KeywordLayerConfig, NetworkConfig } from '../../src/nn/index.js';
import { createRandom, type Tensor, view } from '../../src/tensor/index.js';
import { readerMetric } from '../../src/training/reader-metric.js';

const random = createRandom(11);
const tensor = (...shape: number[]): Tensor => {
  const size = shape.reduce((product, n) => product * n, 1);
  return view(
    Float32Array.from({ length: size }, () => 2 * random() - 1),
    shape,
  );
};
const positive = (n: number): Tensor =>
  view(
    Float32Array.from({ length: n }, () => 0.5 + random()),
    [n],
  );

/** What `readerMetric` adds to the diagonal, whose mean it makes 1. */
const RIDGE = 0.01;

const layoutOf = (
  network: NetworkConfig,
  splitLayer: number,
  pooling = 1,
  vectors?: 'position',
): VectorLayout =>
  new VectorLayout({
    network,
    splitLayer,
    quantizer: { codebooks: 1, codewords: 1, pooling, defaultCodebooks: 1, ...(vectors ? { vectors } : {}) },
  } as unknown as NetworkModelConfig);

const square = (x: ArrayLike<number>): number => Array.from(x).reduce((sum, v) => sum + v * v, 0);

/** encode · e, row after row. */
const mapped = (map: Float32Array, e: readonly number[]): number[] =>
  Array.from({ length: e.length }, (_, i) => e.reduce((sum, v, j) => sum + map[i * e.length + j]! * v, 0));

/** `cost` is what the reader sees of an error, summed over its places: |W e|² by hand. */
function check(
  t: Test,
  what: string,
  network: NetworkConfig,
  tensors: ReadonlyMap<string, Tensor>,
  layout: VectorLayout,
  cost: (e: readonly number[]) => number,
): void {
  const { encode, decode } = readerMetric(network, tensors, layout);
  const { width } = layout;
  const unit = (i: number) => Array.from({ length: width }, (_, j) => (i === j ? 1 : 0));
  const trace = Array.from({ length: width }, (_, i) => cost(unit(i))).reduce((sum, c) => sum + c, 0);
  for (let run = 0; run < 5; run++) {
    const e = Array.from({ length: width }, () => 2 * random() - 1);
    const expected = (cost(e) * width) / trace + RIDGE * square(e);
    const got = square(mapped(encode, e));
    t.ok(Math.abs(got - expected) < 1e-5 * expected, `${what}: ${got} for ${expected}`);
    const back = mapped(decode, mapped(encode, e));
    t.ok(
      back.every((v, i) => Math.abs(v - e[i]!) < 1e-4),
      `${what}: there and back`,
    );
  }
}

const [FRAMES, BANDS, CHANNELS] = [6, 4, 3];
const first: KeywordLayerConfig = {
  kind: 'convolution',
  channels: CHANNELS,
  kernel: [1, 1],
  stride: [1, 1],
  padding: 'valid',
  norm: false,
  activation: 'relu',
};
const keywords = (...rest: KeywordLayerConfig[]): KeywordCnnConfig => ({
  type: 'keyword-cnn',
  frames: FRAMES,
  features: BANDS,
  layers: [first, ...rest],
  classes: 2,
});

t.test('a linear layer reads steps, averaged steps, positions', async (t) => {
  const outputs = 5;
  const network = keywords({ kind: 'linear', features: outputs, norm: true, activation: 'relu' });
  const weight = tensor(outputs, FRAMES * BANDS * CHANNELS);
  const [gain, variance] = [tensor(outputs), positive(outputs)];
  const tensors = new Map([
    ['layers.1.weight', weight],
    ['layers.1.norm.weight', gain],
    ['layers.1.norm.running_var', variance],
  ]);
  /** The same error wherever a vector with it stands, through all outputs. */
  const costOf = (places: readonly (readonly number[])[]) => (e: readonly number[]) => {
    let sum = 0;
    for (const begins of places) {
      for (let o = 0; o < outputs; o++) {
        let y = 0;
        for (const begin of begins) {
          e.forEach((v, i) => {
            y += weight.get(o, begin + i) * v;
          });
        }
        sum += ((y * gain.data[o]!) / Math.sqrt(variance.data[o]! + 0.001)) ** 2;
      }
    }
    return sum;
  };
  const step = BANDS * CHANNELS;
  const steps = Array.from({ length: FRAMES }, (_, n) => [n * step]);
  check(t, 'steps', network, tensors, layoutOf(network, 1), costOf(steps));
  const fours = [[0, 1, 2, 3].map((n) => n * step), [4, 5].map((n) => n * step)];
  check(t, 'four steps', network, tensors, layoutOf(network, 1, 4), costOf(fours));
  const positions = Array.from({ length: FRAMES * BANDS }, (_, n) => [n * CHANNELS]);
  check(t, 'positions', network, tensors, layoutOf(network, 1, 1, 'position'), costOf(positions));
});

/** |y|² of a convolution of one column of bands with an error in it, at every tap in time. */
function convolutionCost(
  weight: Tensor,
  gain: readonly number[],
  bands: number,
  stride: number,
  before: number,
  outBands: number,
) {
  const [outputs, channels, steps, kernelBands] = weight.shape as [number, number, number, number];
  return (e: readonly number[]) => {
    let sum = 0;
    for (let o = 0; o < outputs; o++) {
      for (let tap = 0; tap < steps; tap++) {
        for (let out = 0; out < outBands; out++) {
          let y = 0;
          for (let band = 0; band < bands; band++) {
            const k = band - out * stride + before;
            if (k < 0 || k >= kernelBands) continue;
            for (let c = 0; c < channels; c++) y += weight.get(o, c, tap, k) * e[band * channels + c]!;
          }
          sum += (gain[o]! * y) ** 2;
        }
      }
    }
    return sum;
  };
}

t.test('a convolution reads them', async (t) => {
  for (const [padding, stride, before, outBands] of [
    ['same', 2, 0, 2],
    ['same', 1, 1, 4],
    ['valid', 1, 0, 2],
  ] as const) {
    const next: KeywordLayerConfig = {
      kind: 'convolution',
      channels: 5,
      kernel: [2, 3],
      stride: [1, stride],
      padding,
      norm: false,
      activation: 'relu',
    };
    const network = keywords(next);
    const weight = tensor(5, CHANNELS, 2, 3);
    const tensors = new Map([['layers.1.weight', weight]]);
    const cost = convolutionCost(weight, new Array<number>(5).fill(1), BANDS, stride, before, outBands);
    check(t, `${padding}, stride ${stride}`, network, tensors, layoutOf(network, 1), cost);
  }
});

t.test('a block of CNN14 reads them, its norm included', async (t) => {
  const network: Cnn14Config = { type: 'cnn14', mels: 8, channels: [3, 4, 5], classes: 2, head: 'linear' };
  const weight = tensor(4, 3, 3, 3);
  const [gain, variance] = [tensor(4), positive(4)];
  const block = 'embedding_model.conv_block2';
  const tensors = new Map([
    [`${block}.conv1.weight`, weight],
    [`${block}.norm1.weight`, gain],
    [`${block}.norm1.running_var`, variance],
  ]);
  const gains = Array.from(gain.data, (g, o) => g / Math.sqrt(variance.data[o]! + 1e-5));
  const layout = layoutOf(network, 1);
  t.equal(layout.width, 4 * 3);
  check(t, 'steps', network, tensors, layout, convolutionCost(weight, gains, 4, 1, 1, 4));
  t.throws(() => readerMetric(network, tensors, layoutOf(network, 3)), {
    code: 'ACOM_MODEL',
    message: /after layer 3 .* neither a linear layer nor a convolution/,
  });
  t.throws(() => readerMetric(network, new Map(), layout), { message: /no tensor .*conv_block2/ });
  for (const [value, message] of [
    [0, /after layer 1 are all 0/],
    [Number.NaN, /are no finite numbers/],
  ] as const) {
    const broken = new Map(tensors).set(
      `${block}.conv1.weight`,
      view(
        weight.data.map(() => value),
        weight.shape,
      ),
    );
    t.throws(() => readerMetric(network, broken, layout), { code: 'ACOM_MODEL', message });
  }
});
