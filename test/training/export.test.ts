/**
 * Trained codecs as files: what the file's halves make of a recording is what the network in training makes of it with the
 * nearest codewords, at every rate point, for every kind of network.
 */
import t from 'tap';
import { floorFeatures, LogMel } from '../../src/audio/index.js';
import { constant, poolFrames, repeatFrames, reshape } from '../../src/autograd/index.js';
import { readSafetensors } from '../../src/checkpoints/index.js';
import { type CodecConfig, loadCodecModel, VectorLayout } from '../../src/codec/index.js';
import { frequenciesFromCounts } from '../../src/entropy/index.js';
import type { ConformerCtcConfig, NetworkConfig } from '../../src/nn/index.js';
import { logSoftmax } from '../../src/ops/index.js';
import { createRandom, flat, type Tensor, view } from '../../src/tensor/index.js';
import { exportCodec, type TrainedCodec } from '../../src/training/index.js';
import { trainableCnn14 } from '../../src/training/networks/cnn14.js';
import { trainableConformer } from '../../src/training/networks/conformer.js';
import { trainableKeywordConformer } from '../../src/training/networks/keyword-conformer.js';
import type { TrainableNetwork } from '../../src/training/networks/network.js';
import { TrainableQuantizer } from '../../src/training/quantizer/index.js';
import {
  CLIP,
  CNN14,
  FRONT_END,
  KEYWORD_CONFORMER,
  RATE,
  randomWeights,
  sound,
  tinyConfig,
} from '../support/classifiers.js';
import { randomTensor } from '../support/gradients.js';
import { passOf } from '../support/passes.js';

const CONFORMER: ConformerCtcConfig = {
  type: 'speechbrain-conformer-ctc',
  frontEnd: { mels: 16, channels: [3, 2], kernelSizes: [3, 3], strides: [2, 2] },
  encoder: { width: 8, heads: 2, layers: 2, feedForward: 12, depthwiseTaps: 5 },
  classes: 5,
  head: '2',
};

const dropout = 0.2;
function trainable(network: NetworkConfig, splitLayer: number): TrainableNetwork {
  if (network.type === 'cnn14') return trainableCnn14(network, splitLayer, { dropout });
  if (network.type === 'keyword-conformer')
    return trainableKeywordConformer(network, splitLayer, { dropout });
  if (network.type === 'speechbrain-conformer-ctc')
    return trainableConformer(network, splitLayer, { dropout });
  throw new Error(`there is no training of ${network.type}`);
}

function configOf(network: NetworkConfig, quantizer: Partial<CodecConfig['quantizer']>): CodecConfig {
  const { clipSeconds, ...rest } = tinyConfig({ name: `trained-${network.type}`, network });
  const isRecogniser = network.type === 'speechbrain-conformer-ctc';
  return {
    ...rest,
    ...(isRecogniser ? { task: 'recognition' as const } : { clipSeconds: clipSeconds! }),
    trainingData: ['seeded noise', 'and tones'],
    splitLayer: 1,
    quantizer: { codebooks: 3, codewords: 8, pooling: 2, defaultCodebooks: 2, ...quantizer },
  };
}

interface Trained {
  readonly config: CodecConfig;
  readonly network: TrainableNetwork;
  readonly quantizer: TrainableQuantizer;
  readonly numbers: ReadonlyMap<string, Tensor>;
  readonly codec: TrainedCodec;
}

async function trained(
  network: NetworkConfig,
  quantizer: Partial<CodecConfig['quantizer']> = {},
): Promise<Trained> {
  const config = configOf(network, quantizer);
  const { codebooks, codewords, groups = 1 } = config.quantizer;
  const { width } = new VectorLayout(config);
  const random = createRandom(5);
  const books = randomTensor(random, codebooks * groups, codewords, width / groups);
  const numbers = new Map<string, Tensor>(
    [...(await randomWeights(network, 6))].map(([name, { data, shape }]) => [
      name,
      view(data as Float32Array, shape),
    ]),
  );
  numbers.set('quantizer.codebooks', books);
  // What only training needs.
  numbers.set(
    'quantizer.counts',
    view(new Float32Array(codebooks * groups * codewords), books.shape.slice(0, 2)),
  );
  numbers.set('quantizer.sums', books);
  const perMel = (value: (m: number) => number) =>
    view(
      Float32Array.from({ length: FRONT_END.mels }, (_, m) => value(m)),
      [FRONT_END.mels],
    );
  const statistics = { mean: perMel((m) => -30 - m), deviation: perMel((m) => 10 + m) };
  return {
    config,
    network: trainable(network, config.splitLayer),
    quantizer: new TrainableQuantizer({ codebooks, codewords, groups, width, learning: 'averages' }),
    numbers,
    codec: { config, tensors: numbers, statistics },
  };
}

/** What training makes of a recording with the first `stages` codebooks: indices and log-probabilities. */
function inTraining(
  { config, network, quantizer, numbers, codec }: Trained,
  samples: Float32Array,
  stages: number,
) {
  const features = new LogMel(FRONT_END).frames(samples);
  floorFeatures(features.data, FRONT_END.topDecibels);
  const { mean, deviation } = codec.statistics!;
  const { mels } = FRONT_END;
  features.data.forEach((value, i) => {
    features.data[i] = (value - mean.get(i % mels)) / deviation.get(i % mels);
  });
  const layout = new VectorLayout(config);
  const pass = passOf(numbers, { training: false, variables: false });
  const sent = network.prefix(pass, { x: constant(features), lengths: [features.shape[0]!] });
  const pooled = poolFrames(sent.x, sent.lengths, layout.pooling);
  const vectors = pooled.shape[0]! * layout.perStep;
  const steps = { x: reshape(pooled, [vectors, layout.width]), lengths: [vectors] };
  const { quantized, indices } = quantizer.forward(pass, steps, [stages]);
  const arrived = repeatFrames(reshape(quantized, pooled.shape), sent.lengths, layout.pooling);
  const { x } = network.suffix(pass, { x: arrived, lengths: sent.lengths });
  return { indices, logProbabilities: flat(logSoftmax(x.value)) };
}

const NETWORKS: readonly [NetworkConfig, Partial<CodecConfig['quantizer']>][] = [
  [CNN14, {}],
  [CNN14, { vectors: 'position', groups: 2 }],
  [KEYWORD_CONFORMER, { groups: 2 }],
  [CONFORMER, {}],
];
const recordings = [1, 2, 3].map((seed) => sound(CLIP, seed));

for (const [network, quantizer] of NETWORKS) {
  t.test(`${network.type} ${JSON.stringify(quantizer)}: the file does what training does`, async (t) => {
    const made = await trained(network, quantizer);
    const exporter = await exportCodec(made.codec);
    for (const samples of recordings) exporter.count(samples, RATE);
    const model = await loadCodecModel(exporter.finish());
    t.same(model.config, made.config);
    const encoder = await model.deviceEncoder();
    const { codebooks, codewords, groups = 1 } = made.config.quantizer;
    const counts = Array.from({ length: codebooks * groups }, () => new Int32Array(codewords));
    let vectors = 0;
    for (const samples of recordings) {
      for (let stages = 1; stages <= codebooks; stages++) {
        const expected = inTraining(made, samples, stages);
        const columns = expected.indices.shape[1]!;
        const bytes = encoder.encode(samples, RATE, { codebooks: stages });
        const task = made.config.task;
        const { coder } = task === 'recognition' ? await model.cloudDecoder() : await model.cloudClassifier();
        const { indices } = coder.read(bytes);
        const sent = Array.from({ length: expected.indices.shape[0]! }, (_, n) => [
          ...expected.indices.data.subarray(n * columns, n * columns + stages * groups),
        ]);
        t.same([...indices.data], sent.flat(), `${stages} codebooks`);
        const said =
          task === 'recognition'
            ? flat(
                (await model.cloudDecoder()).logProbabilities(indices, expected.logProbabilities.length / 5),
              )
            : (await model.cloudClassifier()).logProbabilities(indices, samples.length);
        const off = Math.max(...said.map((value, i) => Math.abs(value - expected.logProbabilities[i]!)));
        t.equal(said.length, expected.logProbabilities.length);
        t.ok(off < 1e-4, `${stages} codebooks: ${off} off`);
        if (stages < codebooks) continue;
        vectors += sent.length;
        for (const row of sent) {
          row.forEach((word, stage) => {
            counts[stage]![word]!++;
          });
        }
      }
    }
    t.equal(exporter.vectors, vectors);
    const tables = readSafetensors(exporter.finish()).tensors.get('entropy.frequencies')!;
    t.same(
      [...(tables.data as Int32Array)],
      counts.flatMap((row) => [...frequenciesFromCounts(row)]),
    );
  });
}

t.test('what is left out, and what is refused', async (t) => {
  const { codec, numbers } = await trained(KEYWORD_CONFORMER);
  const exporter = await exportCodec(codec);
  t.throws(() => exporter.finish(), { code: 'ACOM_USAGE', message: /no vectors were counted/ });
  exporter.count(recordings[0]!, RATE);
  const { tensors } = readSafetensors(exporter.finish());
  t.notOk(tensors.has('quantizer.counts') || tensors.has('quantizer.sums'), 'only training needs them');
  t.equal(tensors.size, numbers.size - 2 + 3);

  const without = (name: string) => [...numbers].filter(([each]) => each !== name);
  const changed = (name: string, values: number[], shape = [values.length]): [string, Tensor][] => [
    ...without(name),
    [name, view(Float32Array.from(values), shape)],
  ];
  const wrong: [Partial<TrainedCodec>, RegExp][] = [
    [{ tensors: without('stem.conv.bias') }, /device half.*stem\.conv\.bias is missing/],
    [{ tensors: without('head.weight') }, /cloud half.*head\.weight is missing/],
    [{ tensors: without('quantizer.codebooks') }, /quantizer\.codebooks is missing/],
    [{ tensors: changed('head.bias', [1, 2, 3]) }, /head\.bias has shape \[3\], expected \[5\]/],
    [
      { tensors: changed('head.bias', [0, 0, Number.NaN, 0, 0]) },
      /head\.bias holds NaN: training went wrong; go back to a checkpoint from before/,
    ],
    [{ statistics: null }, /normalizer\.glob_mean is missing/],
    [{ config: { ...codec.config, splitLayer: 9 } }, /splitLayer is 9, expected at most 3 layers/],
  ];
  for (const [change, message] of wrong) {
    await t.rejects(exportCodec({ ...codec, ...change }), { code: 'ACOM_MODEL', message });
  }
});
