/** Time steps that are stacked rather than averaged, with maps around the quantiser: learned pooling in a codec. */
import t from 'tap';
import { readSafetensors, type TensorData } from '../../src/checkpoints/index.js';
import {
  type CodecConfig,
  loadCodecModel,
  parseConfig,
  VectorLayout,
  writeModel,
} from '../../src/codec/index.js';
import { createRandom, flat, view } from '../../src/tensor/index.js';
import { fitCodec, learnedPooling } from '../../src/training/index.js';
import { CLIP, fitted, RATE, sound, tinyCnn14 } from '../support/classifiers.js';
import { modelFile, readSamples } from '../support/commands.js';

/** The shipped network with codebooks for pairs of frames that are averaged. */
async function averaging(): Promise<Uint8Array> {
  const fitter = await fitCodec(modelFile, { splitLayer: 3, codebooks: 2, codewords: 32, pooling: 2 });
  for (const { samples, sampleRate } of readSamples()) {
    const stream = fitter.stream(sampleRate);
    stream.push(samples);
    stream.finish();
  }
  return fitter.finish();
}

const bytes = await averaging();
const plain = await loadCodecModel(bytes);
const { config } = plain;
const stepWidth = new VectorLayout(config).width;
const { pooling } = config.quantizer;

/** The same with maps that do what its averaging does. */
function stacked(): Uint8Array {
  const learned = learnedPooling({ factor: pooling, stepWidth });
  const tensors = new Map<string, TensorData>(readSafetensors(bytes.slice()).tensors);
  for (const [name, { shape, initialise }] of learned.parameters) {
    const data = new Float32Array(shape.reduce((size, n) => size * n, 1));
    initialise(data, createRandom(1));
    tensors.set(name, { data, shape: [...shape] });
  }
  return writeModel({ ...config, quantizer: { ...config.quantizer, ...learned.config } }, tensors);
}

t.test('maps that average and repeat are the same codec', async (t) => {
  t.ok(pooling > 1, 'there is something to average');
  const model = await loadCodecModel(stacked());
  const [one, other] = [await plain.deviceEncoder(), await model.deviceEncoder()];
  const [mine, theirs] = [await plain.cloudDecoder(), await model.cloudDecoder()];
  for (const { samples, sampleRate, path } of readSamples()) {
    // Ends that leave a group of steps incomplete, too.
    for (const length of [samples.length, samples.length - Math.round(0.04 * sampleRate)]) {
      const part = samples.subarray(0, length);
      const indices = one.quantize(part, sampleRate);
      t.same(other.quantize(part, sampleRate).data, indices.data, path);
      t.equal(
        theirs.decode(other.encode(part, sampleRate)).text,
        mine.decode(one.encode(part, sampleRate)).text,
        path,
      );
    }
  }
});

t.test('each half has its own map', async (t) => {
  const { device, cloud } = await (await loadCodecModel(stacked())).split();
  const maps = (file: Uint8Array) =>
    [...readSafetensors(file).tensors.keys()].filter((name) => /^quantizer\.(en|de)code/.test(name)).sort();
  t.same(maps(device), ['quantizer.encode.bias', 'quantizer.encode.weight']);
  t.same(maps(cloud), ['quantizer.decode.bias', 'quantizer.decode.weight']);
});

t.test('vectors and steps of a layout', async (t) => {
  const quantizer = { ...config.quantizer, pooling: 3, pooledBy: 'stacking' as const };
  const three: CodecConfig = { ...config, quantizer };
  const layout = new VectorLayout(three);
  t.equal(layout.width, 3 * stepWidth);
  const steps = view(
    Float32Array.from({ length: 4 * stepWidth }, (_, i) => i),
    [4, stepWidth],
  );
  const vectors = layout.toVectors(steps);
  t.same(vectors.shape, [layout.vectors(4), 3 * stepWidth]);
  t.same([...flat(vectors).subarray(0, 4 * stepWidth)], [...steps.data]);
  t.same(
    [...flat(vectors).subarray(5 * stepWidth)],
    [...steps.data.subarray(3 * stepWidth)],
    'the last again',
  );
  t.same([...flat(layout.toSteps(vectors, 4))], [...steps.data]);
});

t.test('a codec that quantises stacked steps as they are', async (t) => {
  const recordings = Array.from({ length: 6 }, (_, n) => sound(CLIP, n));
  const options = { splitLayer: 1, codebooks: 2, codewords: 4, pooling: 2, pooledBy: 'stacking' } as const;
  const network = await tinyCnn14();
  const model = await loadCodecModel(await fitted(network, options, recordings));
  const sent = (await model.deviceEncoder()).encode(sound(CLIP, 1), RATE);
  const { label } = (await model.cloudClassifier()).classify(sent);
  t.ok(label !== null && model.config.labels.includes(label));
  await t.rejects(fitted(network, { ...options, metric: 'reader' }, recordings), { code: 'ACOM_USAGE' });
  await t.rejects(fitted(network, { ...options, vectors: 'position' }, recordings), {
    code: 'ACOM_USAGE',
    message: /stacked/,
  });
});

t.test('configurations that make no sense are refused', async (t) => {
  const wrong = (quantizer: object): string =>
    JSON.stringify({ ...config, quantizer: { ...config.quantizer, ...quantizer } });
  t.throws(() => parseConfig(wrong({ pooledBy: 'luck' })), { code: 'ACOM_MODEL', message: /pooledBy/ });
  const groups = (parseConfig(wrong({ pooledBy: 'stacking', groups: pooling })) as CodecConfig).quantizer
    .groups;
  t.equal(groups, pooling);
});
