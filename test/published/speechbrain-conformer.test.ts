/** SpeechBrain's conformer: SpeechBrain's own numbers through the import, and files that are not what they should be. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { writeSafetensors } from '../../src/checkpoints/index.js';
import { loadNetworkModel } from '../../src/codec/index.js';
import { ImportError, importSpeechBrainConformer } from '../../src/published/index.js';
import { greedyDecode } from '../../src/tasks/ctc.js';
import { concatenate, sizeOf } from '../../src/tensor/index.js';
import { findFixtures, inputOf, tensorOf } from '../oracle/fixture.js';
import { noise } from '../support/commands.js';
import { fuzz } from '../support/fuzz.js';
import {
  type Files,
  folderOf,
  madeUp,
  normalizerFile,
  type Saved,
  torchStateDict,
} from '../support/published.js';
import { repository, shared, skipWithout } from '../support/shared.js';
import { cnn14Shapes, conformerShapes, TINY_CONFORMER } from '../support/speechbrain-shapes.js';
import { dict, int, list, tensor, torchZip } from '../support/torch.js';

const fixture = findFixtures(join(repository, 'test/fixtures/oracle'))
  .find(({ kind }) => kind === 'asr_end_to_end')!
  .load();
const isWeight = (name: string) => !/^(in|out|out64|grad)\./.test(name);

/** The fixture's weights as SpeechBrain saves them. */
const weights = new Map(
  [...fixture.tensors]
    .filter(([name]) => isWeight(name))
    .map(([name, { data, shape }]): [string, Saved] => [name, { data: data as Float32Array, shape }]),
);
const bytesOf = (path: string) => new Uint8Array(readFileSync(path));
const tokenizer = bytesOf(join(repository, 'test/fixtures/sentencepiece/unigram.model'));
const TOKENS = 90;

/** What the fixture's checkpoint, which has no hyperparams.yaml, does not say. */
const SAMPLES = { fftSize: 400, windowSamples: 400 };

async function compare(t: Test, files: Files): Promise<void> {
  const { model, config } = await importSpeechBrainConformer(folderOf(files), SAMPLES);
  t.match(config.network, { encoder: { width: 24, heads: 4, layers: 2, feedForward: 40 }, classes: 29 });
  const recognizer = await (await loadNetworkModel(model)).uncutRecognizer();
  const logProbs = recognizer.logProbabilities(inputOf(fixture, 'waveform').data, 16000);
  const expected = tensorOf(fixture, 'out.ctc_log_probs').data as Float32Array;
  t.equal(logProbs.data.length, expected.length);
  const worst = Math.max(...expected.map((x, i) => Math.abs(x - logProbs.data[i]!)));
  t.ok(worst < 1e-3, `log-probabilities differ by ${worst}`);
  const tokens = greedyDecode(logProbs).map(({ label }) => label);
  t.same(tokens, (fixture.json['greedy_decode'] as number[][])[0]);
}

const normalizerOf = (version: 'new' | 'old') =>
  bytesOf(join(repository, `test/fixtures/oracle/checkpoints/normalizer_${version}.ckpt`));

t.test("waveform to log-probabilities: SpeechBrain's", async (t) => {
  await compare(t, { 'asr.ckpt': torchStateDict(weights), 'normalizer.ckpt': normalizerOf('new') });
  const tensors = new Map([...weights].map(([name, { data, shape }]) => [name, { data, shape }]));
  await compare(t, {
    'model.safetensors': writeSafetensors(tensors),
    'normalizer.ckpt': normalizerOf('old'),
  });
});

const SAVED = 'oracle/12_checkpoints/asr_model.ckpt';
t.test('the same from a file that SpeechBrain saved', { skip: skipWithout(SAVED) }, async (t) => {
  await compare(t, { 'model.ckpt': bytesOf(shared(SAVED)), 'normalizer.ckpt': normalizerOf('old') });
});

const tiny = { ...TINY_CONFORMER, classes: TOKENS };
const tinyWeights = madeUp(conformerShapes(tiny));
const YAML = 'sample_rate: 8000\nn_fft: 256\nwin_length: 20\nhop_length: 10\n';
const good: Files = {
  'asr.ckpt': torchStateDict(tinyWeights),
  'normalizer.ckpt': normalizerFile(tiny.mels),
  'tokenizer.ckpt': tokenizer,
  'hyperparams.yaml': YAML,
};

const logProbsOf = async (files: Files) => {
  const { model } = await importSpeechBrainConformer(folderOf(files));
  const recognizer = await (await loadNetworkModel(model)).uncutRecognizer();
  return recognizer.logProbabilities(noise(8000), 8000);
};
const expected = await logProbsOf(good);

t.test('tokenizer, front end and name', async (t) => {
  const { config, notes } = await importSpeechBrainConformer(folderOf(good), { name: 'tiny' });
  t.equal(config.name, 'tiny');
  t.same(notes, []);
  t.match(config.frontEnd, {
    sampleRate: 8000,
    fftSize: 256,
    windowSamples: 160,
    hopSamples: 80,
    maxHertz: 4000,
  });
  const half = await importSpeechBrainConformer(
    folderOf({ ...good, 'hyperparams.yaml': 'sample_rate: 8000\nn_fft: 512\n' }),
  );
  t.match(half.config.frontEnd, { fftSize: 512, windowSamples: 200 }, "SpeechBrain's own default, 25 ms");
  t.match(half.notes, [/says win_length: a window of 200 samples is assumed \(--window\)/]);
  const { labels, units } = config;
  t.equal(units, 'pieces');
  t.same(labels.slice(0, 6), ['', '', '', '<sep>', '\u2581', '\u2581the'], 'no text for blank and controls');
  t.equal(labels.length, TOKENS);
});

t.test('old spellings, half precision and tensors of one storage', async (t) => {
  const before1 = madeUp(conformerShapes(tiny, 'mutihead_attn'));
  t.ok([...before1.keys()].some((name) => name.includes('.mutihead_attn.')));
  t.same(await logProbsOf({ ...good, 'asr.ckpt': torchStateDict(before1) }), expected);

  const half = await logProbsOf({ ...good, 'asr.ckpt': torchStateDict(tinyWeights, 'F16') });
  const worst = Math.max(...expected.data.map((x, i) => Math.abs(x - half.data[i]!)));
  t.ok(worst > 0 && worst < 0.05, `half precision changes log-probabilities by up to ${worst}`);

  const all = [...tinyWeights.values()].map(({ data }) => data as Float32Array);
  const storage = concatenate(all);
  let offset = 0;
  const items = [...tinyWeights].map(([name, { shape, data }]) => {
    const stride = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
    const item = [name, tensor({ elements: storage.length, offset, shape, stride })] as const;
    offset += data.length;
    return item;
  });
  const together = torchZip(dict(...items), { 0: new Uint8Array(storage.buffer) });
  t.same(await logProbsOf({ ...good, 'asr.ckpt': together }), expected, 'one storage');
});

/** The tiny state dict, changed. */
function changed(change: (tensors: Map<string, Saved>) => void): Uint8Array {
  const tensors = new Map(tinyWeights);
  change(tensors);
  return torchStateDict(tensors);
}

const one = (...shape: number[]): Saved => ({ shape, data: new Float32Array(sizeOf(shape)) });
const { 'normalizer.ckpt': _normalizer, ...withoutNormalizer } = good;
const { 'hyperparams.yaml': _yaml, ...withoutYaml } = good;

t.test('weights that are not exactly those of the network', async (t) => {
  const broken = changed((tensors) => {
    tensors.delete('1.encoder.layers.1.norm1.norm.bias');
    tensors.set('1.encoder.layers.0.norm1.norm.bias', one(3));
    tensors.set('4.w.weight', one(2, 2));
  });
  const failure = await importSpeechBrainConformer(folderOf({ ...good, 'asr.ckpt': broken })).catch(
    (error: unknown) => error,
  );
  t.ok(failure instanceof ImportError);
  const { report, message } = failure as ImportError;
  t.same(report.missing, ['1.encoder.layers.1.norm1.norm.bias']);
  t.same(report.unexpected, ['4.w.weight']);
  t.same(report.wrongShape, [
    { name: '1.encoder.layers.0.norm1.norm.bias', shape: [3], expected: [tiny.width] },
  ]);
  t.match(
    message,
    /1 missing: .*norm1\.norm\.bias; 1 of another shape: .* \[3\] instead of \[16\]; 1 unexpected: 4\.w/,
  );
});

t.test('what is refused, and why', async (t) => {
  const era = changed((tensors) => {
    for (const layer of [0, 1]) {
      const at = `1.encoder.layers.${layer}.convolution_module`;
      for (const statistic of ['running_mean', 'running_var']) {
        tensors.set(`${at}.after_conv.0.${statistic}`, one(tiny.width));
      }
      tensors.set(`${at}.after_conv.2.weight`, one(tiny.width, tiny.width, 1));
    }
  });
  const asr = good['asr.ckpt'] as Uint8Array;
  const flipped = Buffer.from(asr);
  const head = tinyWeights.get('3.w.weight')!.data;
  flipped[flipped.indexOf(Buffer.from(head.buffer))]! ^= 1;
  const rotary = torchStateDict(madeUp(conformerShapes({ ...tiny, positions: 'rotary' })));
  const cases: [string, Files, string, RegExp][] = [
    [
      'a folder with nothing',
      {},
      'ACOM_SOURCE',
      /^asr\.ckpt or model\.ckpt or model\.safetensors: there is no such file/,
    ],
    ['no statistics', withoutNormalizer, 'ACOM_SOURCE', /^normalizer\.ckpt: there is no such file/],
    [
      'batch norm in the convolution modules',
      { ...good, 'asr.ckpt': era },
      'ACOM_MODEL',
      /^asr\.ckpt: .*batch norm: SpeechBrain before 0\.5\.12/,
    ],
    [
      'another network',
      { ...good, 'asr.ckpt': torchStateDict(madeUp(cnn14Shapes([4, 8]))) },
      'ACOM_MODEL',
      /^asr\.ckpt: there is no tensor 1\.custom_src_module.*no model of SpeechBrain's conformer/,
    ],
    [
      'something else than a state dict',
      { ...good, 'asr.ckpt': torchZip(list(int(1))) },
      'ACOM_MODEL',
      /^asr\.ckpt: there is no tensor/,
    ],
    [
      'no checkpoint',
      { ...good, 'asr.ckpt': '<!DOCTYPE html><html>Not found' },
      'ACOM_FORMAT',
      /^asr\.ckpt: .*neither safetensors nor/,
    ],
    [
      'a file that is cut short',
      { ...good, 'asr.ckpt': asr.slice(0, asr.length * 0.7) },
      'ACOM_FORMAT',
      /^asr\.ckpt: .*cut short/,
    ],
    ['a bit that is wrong', { ...good, 'asr.ckpt': flipped }, 'ACOM_FORMAT', /^asr\.ckpt: /],
    [
      'numbers of another type',
      {
        ...good,
        'asr.ckpt': changed((tensors) =>
          tensors.set('3.w.bias', { shape: [TOKENS], data: new BigInt64Array(TOKENS) }),
        ),
      },
      'ACOM_MODEL',
      /^asr\.ckpt: 3\.w\.bias holds bigint64, expected float32/,
    ],
    [
      'statistics of other features',
      { ...good, 'normalizer.ckpt': normalizerFile(40) },
      'ACOM_MODEL',
      /of another shape/,
    ],
    [
      'other statistics',
      { ...good, 'normalizer.ckpt': asr },
      'ACOM_FORMAT',
      /^normalizer\.ckpt: .*there is no count/,
    ],
    [
      'a tokenizer of another model',
      { ...good, 'tokenizer.ckpt': bytesOf(join(repository, 'test/fixtures/sentencepiece/plain.model')) },
      'ACOM_MODEL',
      /^tokenizer\.ckpt has \d+ pieces, the network 90 classes/,
    ],
    [
      'a damaged tokenizer',
      { ...good, 'tokenizer.ckpt': tokenizer.slice(0, 200) },
      'ACOM_FORMAT',
      /^tokenizer\.ckpt: /,
    ],
    ['a width that is not published', withoutYaml, 'ACOM_USAGE', /width 16 .*--fft and --window/],
    [
      'rotary positions',
      { ...good, 'asr.ckpt': rotary },
      'ACOM_USAGE',
      /attention heads: say it \(--heads\)/,
    ],
    [
      'a front end that could be none',
      { ...good, 'hyperparams.yaml': 'n_fft: 0\n' },
      'ACOM_MODEL',
      /an FFT of 0 samples makes no sense/,
    ],
    [
      'a front end without bounds',
      { ...good, 'hyperparams.yaml': 'n_fft: 999999999\n' },
      'ACOM_MODEL',
      /an FFT of 999999999 samples makes no sense/,
    ],
    [
      'a sample rate without bounds',
      { ...good, 'hyperparams.yaml': 'sample_rate: 99999999999\nn_fft: 512\n' },
      'ACOM_MODEL',
      /makes no sense/,
    ],
    [
      'no heads',
      {
        ...good,
        'asr.ckpt': changed((tensors) => tensors.set('1.encoder.layers.0.mha_layer.pos_bias_u', one(8, 0))),
      },
      'ACOM_MODEL',
      /heads is 0/,
    ],
  ];
  for (const [what, files, code, message] of cases) {
    await t.rejects(importSpeechBrainConformer(folderOf(files)), { code, message }, what);
  }
  const heads = await importSpeechBrainConformer(folderOf({ ...good, 'asr.ckpt': rotary }), { heads: 2 });
  t.match(heads.config.network, { encoder: { heads: 2, positions: 'rotary' } });
});

t.test('damaged files give typed errors', async (t) => {
  const names = ['asr.ckpt', 'normalizer.ckpt', 'tokenizer.ckpt'] as const;
  for (const name of names) {
    const { accepted, rejected, crashes } = await fuzz([good[name] as Uint8Array], 60, (bytes) =>
      importSpeechBrainConformer(folderOf({ ...good, [name]: bytes })),
    );
    t.same(crashes, [], name);
    t.ok(rejected > 10, `${name}: ${rejected} rejected, ${accepted} accepted`);
  }
  const yaml = new TextEncoder().encode(YAML);
  const { accepted, crashes } = await fuzz([yaml], 60, (bytes) =>
    importSpeechBrainConformer(folderOf({ ...good, 'hyperparams.yaml': bytes })),
  );
  t.same(crashes, [], 'hyperparams.yaml');
  t.ok(accepted > 0, `hyperparams.yaml: ${accepted} accepted`);
});
