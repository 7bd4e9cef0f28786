/** Whole models through GPU.js without a GPU: the same indices and words as on the CPU, whatever the network. */
import t, { type Test } from 'tap';
import { openGpu } from '../../kernels/gpu/index.js';
import { type CodecModel, loadCodecModel as loadOnCpu } from '../../src/codec/index.js';
import { GpuFunction } from '../../src/gpu/gpu-function.js';
import { type GpuCodecModel, type GpuMode, loadCodecModel } from '../../src/gpu/index.js';
import { ConformerEncoder } from '../../src/nn/conformer-encoder.js';
import { Parameters } from '../../src/nn/index.js';
import { relu, scaledAdd } from '../../src/ops/index.js';
import { createNormal, createRandom, flat, sizeOf, view, zeros } from '../../src/tensor/index.js';
import {
  CLIP,
  fitted,
  RATE,
  sound,
  tinyCnn14,
  tinyKeywordConformer,
  tinyKeywords,
} from '../support/classifiers.js';
import { modelFile, readSamples } from '../support/commands.js';
import { differences } from '../support/near-ties.js';

const samples = readSamples();

async function compareRecognisers(t: Test, cpu: CodecModel, gpu: GpuCodecModel) {
  const [encoder, other] = [await cpu.deviceEncoder(), await gpu.deviceEncoder()];
  const [decoder, otherDecoder] = [await cpu.cloudDecoder(), await gpu.cloudDecoder()];
  for (const { path: name, samples: sound, sampleRate } of samples) {
    const bytes = encoder.encode(sound, sampleRate, { codebooks: 2 });
    const indices = encoder.quantize(sound, sampleRate, { codebooks: 2 });
    const found = await other.quantize(sound, sampleRate, { codebooks: 2 });
    t.same(found.shape, indices.shape, name);
    const { wrong, nearTies } = await differences(modelFile, sound, sampleRate, indices, found);
    t.equal(wrong, 0, `${name}: indices equal but for ${nearTies} near-ties of ${indices.size}`);
    const mine = decoder.decode(bytes);
    const theirs = await otherDecoder.decode(bytes);
    t.equal(theirs.text, mine.text, name);
    mine.words.forEach((word, i) => {
      t.ok(
        Math.abs(word.confidence - theirs.words[i]!.confidence) < 1e-3,
        `${name}: confidence of ${word.word}`,
      );
    });
  }
}

for (const mode of ['webasm', 'cpu'] as const satisfies GpuMode[]) {
  t.test(`the shipped recogniser, mode ${mode}`, async (t) => {
    const gpu = await loadCodecModel(modelFile, { backend: 'gpu', mode });
    t.equal(gpu.mode, mode);
    await compareRecognisers(t, await loadOnCpu(modelFile), gpu);
    await gpu.dispose();
  });
}

t.test('files of more than a window, pieces, and packets', async (t) => {
  const cpu = await (await loadOnCpu(modelFile)).deviceEncoder();
  const model = await loadCodecModel(modelFile, { backend: 'gpu', mode: 'webasm' });
  const gpu = await model.deviceEncoder();
  const { sampleRate } = samples[0]!;
  const joined = Float32Array.from(samples.flatMap((sample) => [...sample.samples]));
  const stream = gpu.stream(sampleRate, { packetSeconds: 5 });
  for (let at = 0; at < joined.length; at += 4001) stream.push(joined.subarray(at, at + 4001));
  t.same(await stream.finish(), cpu.encode(joined, sampleRate, { packetSeconds: 5 }));
  t.same(await gpu.encode(new Float32Array(0), sampleRate), cpu.encode(new Float32Array(0), sampleRate));
  await t.rejects(gpu.encode(joined, sampleRate, { codebooks: 99 }), { code: 'ACOM_USAGE' });
  await t.rejects(gpu.encode(Float32Array.of(NaN), sampleRate), { code: 'ACOM_AUDIO' });
  const both = await Promise.all([gpu.encode(joined, sampleRate), gpu.encode(joined, sampleRate)]);
  t.same(both[0], both[1], 'two at once');
  t.equal(await model.deviceEncoder(), gpu, 'weights go up once, however often it is asked for');
  const running = gpu.encode(joined, sampleRate).catch(({ code }) => code);
  await model.dispose();
  await model.dispose();
  t.equal(await running, 'ACOM_GPU', 'what had not begun is refused');
  await t.rejects(model.cloudDecoder(), { code: 'ACOM_GPU', message: /disposed/ });
  await t.rejects(gpu.encode(joined, sampleRate), { code: 'ACOM_GPU', message: /disposed/ });
});

/** The bytes and classes of a fitted codec on the GPU are those on the CPU. */
async function compareClassifiers(t: Test, name: string, file: Uint8Array) {
  const cpu = await loadOnCpu(file);
  const gpu = await loadCodecModel(file, { backend: 'gpu', mode: 'webasm' });
  const [encoder, other] = [await cpu.deviceEncoder(), await gpu.deviceEncoder()];
  const [classifier, otherClassifier] = [await cpu.cloudClassifier(), await gpu.cloudClassifier()];
  for (let seed = 10; seed < 13; seed++) {
    const bytes = encoder.encode(sound(2 * CLIP, seed), RATE);
    t.same(await other.encode(sound(2 * CLIP, seed), RATE), bytes, name);
    const mine = classifier.classify(bytes);
    const theirs = await otherClassifier.classify(bytes);
    t.equal(theirs.label, mine.label, name);
    t.ok(Math.abs(theirs.confidence - mine.confidence) < 1e-4, `${name}: confidence`);
  }
  await gpu.dispose();
}

const recordings = Array.from({ length: 6 }, (_, n) => sound(CLIP, n));

t.test('CNN14: vectors of steps and of positions, groups, a projection', async (t) => {
  const network = await tinyCnn14();
  const options = { splitLayer: 1, codebooks: 2, codewords: 8, groups: 1 };
  const variants = [
    {},
    { vectors: 'position' as const },
    { groups: 4, pooling: 2 },
    { metric: 'reader' as const, vectors: 'position' as const },
    { pooling: 3, pooledBy: 'stacking' as const },
  ];
  for (const variant of variants) {
    const file = await fitted(network, { ...options, ...variant }, recordings);
    await compareClassifiers(t, JSON.stringify(variant), file);
  }
});

t.test('keyword conformers, cut before, between and after their layers', async (t) => {
  const network = await tinyKeywordConformer();
  for (const splitLayer of [0, 1, 3]) {
    const options = { splitLayer, codebooks: 2, codewords: 8, pooling: 2 };
    await compareClassifiers(t, `layer ${splitLayer}`, await fitted(network, options, recordings));
  }
});

t.test('lengths come and go: programs of many lengths, each right', async (t) => {
  const cpu = await (await loadOnCpu(modelFile)).deviceEncoder();
  const model = await loadCodecModel(modelFile, { backend: 'gpu', mode: 'webasm' });
  const gpu = await model.deviceEncoder();
  const { samples: all, sampleRate } = samples[0]!;
  for (const seconds of [0.1, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3, 1.5, 1.7, 0.1, 0.3]) {
    const part = all.subarray(0, Math.round(seconds * sampleRate));
    t.same((await gpu.quantize(part, sampleRate)).data, cpu.quantize(part, sampleRate).data, `${seconds} s`);
  }
  await model.dispose();
});

t.test('encoder layers with relative and with rotary positions', async (t) => {
  const normal = createNormal(createRandom(7));
  const gpu = await openGpu('webasm');
  for (const positions of ['relative', 'rotary'] as const) {
    const config = { width: 12, heads: 3, layers: 2, feedForward: 20, depthwiseTaps: 5, positions };
    const shapes = new Map<string, readonly number[]>();
    new ConformerEncoder(new Parameters(new Map(), '', [], shapes), config);
    const weights = new Map(
      [...shapes].map(([name, shape]) => {
        const data = Float32Array.from({ length: sizeOf(shape) }, () => 0.4 * normal());
        return [name, view(data, shape)] as const;
      }),
    );
    const make = () => new ConformerEncoder(new Parameters(weights), config);
    const x = view(Float32Array.from({ length: 9 * 12 }, normal), [1, 9, 12]);
    const expected = make().forward(x);
    const there = make();
    const [found] = await new GpuFunction(gpu, (frames) => [there.forward(frames)]).run(x);
    const off = flat(expected).map((value, i) => Math.abs(value - found!.data[i]!));
    t.ok(Math.max(...off) < 1e-5, `${positions}: ${Math.max(...off)}`);
  }
  await gpu.dispose();
});

t.test('what has no kernel is refused by name, and never computed from what is not there', async (t) => {
  const rate = 16000;
  const options = { splitLayer: 1, codebooks: 1, codewords: 4, groups: 1 };
  const file = await fitted(await tinyKeywords('separable'), options, [sound(rate, 1, rate)], rate);
  await t.rejects(loadCodecModel(file, { backend: 'gpu', mode: 'cpu' }), {
    code: 'ACOM_MODEL',
    message: /no kernels for a GPU for padding and pooling of keyword networks/,
  });
  // Code that is no kernel sees NaN, and what it makes of it is refused.
  const gpu = await openGpu('cpu');
  const copying = new GpuFunction(gpu, (x) => [relu(view(x.data.slice(), x.shape))]);
  await t.rejects(copying.run(zeros([3])), { code: 'ACOM_KERNEL', message: /no kernel made from inputs/ });
  const copiesResult = new GpuFunction(gpu, (x) => [relu(view(relu(x).data.slice(), x.shape))]);
  await t.rejects(copiesResult.run(zeros([3])), {
    code: 'ACOM_KERNEL',
    message: /no kernel made from inputs/,
  });
  const right = new GpuFunction(gpu, (x) => [relu(scaledAdd(x, -2, x))]);
  t.same([...(await right.run(view(Float32Array.of(1, -2, 3), [3])))[0]!.data], [0, 2, 0]);
  await gpu.dispose();
});

t.test('backends that are none', async (t) => {
  t.equal((await loadCodecModel(modelFile)).constructor.name, 'CodecModel');
  t.equal((await loadCodecModel(modelFile, { backend: 'cpu' })).constructor.name, 'CodecModel');
  await t.rejects(loadOnCpu(modelFile, { backend: 'gpu' } as never), {
    code: 'ACOM_USAGE',
    message: /from 'acom\/gpu'/,
  });
  await t.rejects(loadCodecModel(modelFile, { backend: 'gpu', mode: 'webgl2' }), {
    code: 'ACOM_GPU',
    message: /webgl2 does not run here: .*use webgpu, webasm or cpu/,
  });
});
