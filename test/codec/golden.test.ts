/** The shipped model and one that PyTorch trained, both against PyTorch: the same numbers, codewords, words and errors. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { readSafetensors } from '../../src/checkpoints/index.js';
import { loadCodecModel, packExportedNetwork, recognizerOf } from '../../src/codec/index.js';
import { encodeProjection } from '../../src/codec/projection.js';
import { readRecording } from '../../src/index.js';
import { ConformerPrefix, Parameters } from '../../src/nn/index.js';
import { padFrames } from '../../src/ops/frame-pooling.js';
import { poolFrames } from '../../src/ops/index.js';
import { projectedEncoder, ResidualQuantizer } from '../../src/quantizer/index.js';
import { wordErrors, wordsOf } from '../../src/tasks/index.js';
import { flat, type NdArray, reshape, type Tensor } from '../../src/tensor/index.js';
import { loadCommands, modelFile } from '../support/commands.js';
import { repository, shared, skipWithout } from '../support/shared.js';

const LOG_PROBABILITIES = 1e-3;
/** Two codewords whose distances differ by less than this, relatively, may be chosen either way. */
const NEAR_TIE = 1e-5;

type Golden = ReadonlyMap<string, NdArray<never>>;
const readGolden = (path: string) => readSafetensors(readFileSync(path)).tensors as unknown as Golden;
const golden = (tensors: Golden, name: string) => {
  const found = tensors.get(name);
  if (!found) throw new Error(`no tensor ${name}`);
  return found as unknown as Tensor;
};

const worst = (a: Tensor, b: Tensor): number =>
  a.data.length === b.data.length
    ? flat(a).reduce((most, x, i) => Math.max(most, Math.abs(x - flat(b)[i]!)), 0)
    : Number.POSITIVE_INFINITY;

/** Whether the first difference of a vector's indices is between two codewords of almost the same distance. */
function isNearTie(
  quantizer: ResidualQuantizer,
  vector: Tensor,
  stage: number,
  before: number[],
  a: number,
  b: number,
): boolean {
  const residual = Float64Array.from(flat(vector));
  const word = (s: number, v: number, d: number) => quantizer.codebooks.get(s, v, d) as number;
  before.forEach((v, s) => {
    residual.forEach((r, d) => {
      residual[d] = r - word(s, v, d);
    });
  });
  const distance = (v: number) => residual.reduce((sum, r, d) => sum + (r - word(stage, v, d)) ** 2, 0);
  return Math.abs(distance(a) - distance(b)) <= NEAR_TIE * distance(a);
}

/** Indices that differ and are no near-ties; and how many near-ties there were. */
function compareIndices(
  quantizer: ResidualQuantizer,
  vectors: Tensor,
  got: NdArray<Int32Array>,
  expected: Tensor,
) {
  let [different, nearTies] = [0, 0];
  const [count, stages] = expected.shape as [number, number];
  for (let n = 0; n < count; n++) {
    for (let s = 0; s < stages; s++) {
      const [a, b] = [got.get(n, s) as number, expected.get(n, s) as number];
      if (a === b) continue;
      const before = Array.from({ length: s }, (_, i) => got.get(n, i) as number);
      if (isNearTie(quantizer, vectors.pick(n, null), s, before, a, b)) nearTies++;
      else different++;
      break; // later stages code another residual
    }
  }
  return { different, nearTies };
}

/** The network that PyTorch trained and computed goldens of, as a codec model. */
const pytorchModel = (): Uint8Array =>
  packExportedNetwork(readFileSync(shared('weights/commands/commands.safetensors')), {
    licence: 'CC BY-SA 4.0',
    trainingData: ['see ../shared/weights/commands'],
  }).model;

t.test('the shipped model, from features to log-probabilities, two utterances', async (t) => {
  const tensors = readGolden(join(repository, 'test/fixtures/commands-golden.safetensors'));
  const weights = readSafetensors(readFileSync(modelFile)).tensors;
  const model = await loadCommands();
  const decoder = await model.cloudDecoder();
  const { splitLayer, quantizer: settings } = model.config;
  const { network } = recognizerOf(model.config);
  const parameters = new Parameters(weights);
  const prefix = new ConformerPrefix(parameters, network, splitLayer);
  const codebooks = new ResidualQuantizer(weights.get('quantizer.codebooks') as Tensor);
  const quantizer = projectedEncoder(codebooks, encodeProjection(model.config, parameters));
  for (const n of [3, 4]) {
    const features = golden(tensors, `${n}.features`);
    const batch = reshape(features, [1, ...features.shape]);
    t.ok(worst(prefix.embed(batch), golden(tensors, `${n}.front`)) < 1e-4, `${n}: front end`);
    const cut = prefix.forward(batch).pick(0, null, null);
    t.ok(worst(cut, golden(tensors, `${n}.layer${splitLayer}`)) < 1e-4, `${n}: layer ${splitLayer}`);
    const padded = padFrames(cut, settings.pooling);
    const stacked = [padded.shape[0]! / settings.pooling, settings.pooling * network.encoder.width];
    const indices = quantizer.encode(reshape(padded, stacked));
    const { different, nearTies } = compareIndices(
      codebooks,
      golden(tensors, `${n}.vectors`),
      indices,
      golden(tensors, `${n}.indices`),
    );
    t.equal(different, 0, `${n}: indices (${nearTies} near-ties)`);
    for (let k = 1; k <= settings.codebooks; k++) {
      const expected = golden(tensors, `${n}.k${k}.log_probs`);
      const got = decoder.logProbabilities(indices.hi(indices.shape[0]!, k), expected.shape[0]!);
      t.ok(worst(got, expected) < LOG_PROBABILITIES, `${n}: log-probabilities, k = ${k}`);
    }
  }
});

t.test(
  'a network that PyTorch trained, from recordings to words, five utterances',
  { skip: skipWithout('weights/commands/golden.json') },
  async (t) => {
    const folder = shared('weights/commands');
    const tensors = readGolden(join(folder, 'golden.safetensors'));
    const utterances = JSON.parse(readFileSync(join(folder, 'golden.json'), 'utf8')) as {
      n: number;
      file: string;
      heard: Record<string, string>;
    }[];
    const packed = pytorchModel();
    const model = await loadCodecModel(packed);
    const weights = readSafetensors(packed).tensors;
    const [encoder, decoder, uncut] = [
      await model.deviceEncoder(),
      await model.cloudDecoder(),
      await model.uncutRecognizer(),
    ];
    let [codewords, nearTies] = [0, 0];
    for (const { n, file, heard } of utterances) {
      const { samples, sampleRate } = await readRecording(readFileSync(shared(file)));
      const continuous = uncut.logProbabilities(samples, sampleRate);
      const error = worst(continuous, golden(tensors, `${n}.continuous.log_probs`));
      t.ok(error < LOG_PROBABILITIES, `${n}: continuous log-probabilities, ${error.toExponential(1)}`);
      const indices = encoder.quantize(samples, sampleRate, { codebooks: 2 });
      const expected = golden(tensors, `${n}.indices`);
      codewords += indices.size;
      const quantizer = new ResidualQuantizer(weights.get('quantizer.codebooks') as Tensor);
      const found = compareIndices(
        quantizer,
        poolFrames(golden(tensors, `${n}.layer3`), 2),
        indices,
        expected,
      );
      nearTies += found.nearTies;
      t.equal(found.different, 0, `${n}: indices`);
      t.equal(uncut.transcribe(samples, sampleRate).text, heard['continuous'], `${n}: words, uncut`);
      for (const k of [1, 2]) {
        const frames = golden(tensors, `${n}.k${k}.log_probs`);
        const got = decoder.logProbabilities(indices.hi(indices.shape[0]!, k), frames.shape[0]!);
        t.ok(worst(got, frames) < LOG_PROBABILITIES, `${n}: log-probabilities, k = ${k}`);
        const { text } = decoder.decode(encoder.encode(samples, sampleRate, { codebooks: k }));
        t.equal(text, heard[`k${k}`], `${n}: words, k = ${k}`);
      }
    }
    t.comment(`${nearTies} near-ties among ${codewords} codewords`);
  },
);

/** Word errors, uncut, k = 1, k = 2: what PyTorch makes with its network, and what the card says of the one that ships. */
const WORD_ERRORS = [
  { set: 'commands-known-speakers', utterances: 150, words: 354, pytorch: [8, 6, 6], card: [8, 10, 8] },
  { set: 'commands-synthetic-voices', utterances: 60, words: 150, pytorch: [4, 4, 3], card: [5, 6, 6] },
];

const CLAIMS = WORD_ERRORS.flatMap(({ pytorch, card, ...set }) => [
  { ...set, by: 'PyTorch', load: () => loadCodecModel(pytorchModel()), errors: pytorch },
  { ...set, by: 'the card', load: loadCommands, errors: card },
]);

for (const { set, utterances, words, by, load, errors } of CLAIMS) {
  const manifest = `testsets/${set}/manifest.jsonl`;
  t.test(`word errors on ${set}, as ${by} has them`, { skip: skipWithout(manifest) }, async (t) => {
    const model = await load();
    const [encoder, decoder, uncut] = [
      await model.deviceEncoder(),
      await model.cloudDecoder(),
      await model.uncutRecognizer(),
    ];
    const found = [0, 0, 0];
    let [saidWords, count] = [0, 0];
    for (const line of readFileSync(shared(manifest), 'utf8').trim().split('\n')) {
      const { path, transcript } = JSON.parse(line) as { path: string; transcript: string };
      const { samples, sampleRate } = await readRecording(
        readFileSync(join(dirname(shared(manifest)), path)),
      );
      const said = wordsOf(transcript);
      const stream = encoder.encode(samples, sampleRate, { codebooks: 2 });
      const heard = [
        uncut.transcribe(samples, sampleRate),
        decoder.decode(stream, { codebooks: 1 }),
        decoder.decode(stream),
      ];
      heard.forEach(({ text }, i) => {
        found[i]! += wordErrors(said, wordsOf(text));
      });
      saidWords += said.length;
      count++;
    }
    t.equal(count, utterances);
    t.equal(saidWords, words);
    found.forEach((got, i) => {
      const points = (100 * Math.abs(got - errors[i]!)) / words;
      t.ok(
        points <= 0.3,
        `${['uncut', 'k = 1', 'k = 2'][i]}: ${got} errors of ${words}, ${by} has ${errors[i]}`,
      );
    });
  });
}
