/** acom import, and what can be done with what it makes: transcribe, classify, fit, encode, decode, eval. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadTorchaudioConformer } from '../../src/published/index.js';
import { acom, messages, oneLine, piped, sample } from '../support/cli.js';
import { readSamples, samplesFolder } from '../support/commands.js';
import { type Files, madeUp, normalizerFile, type Shapes, torchStateDict } from '../support/published.js';
import { repository } from '../support/shared.js';
import {
  cnn14HeadShapes,
  cnn14Shapes,
  conformerShapes,
  TINY_CONFORMER,
} from '../support/speechbrain-shapes.js';

const sizes = { ...TINY_CONFORMER, classes: 90 };
const conformer: Files = {
  'asr.ckpt': torchStateDict(madeUp(conformerShapes(sizes))),
  'normalizer.ckpt': normalizerFile(sizes.mels),
  'tokenizer.ckpt': readFileSync(join(repository, 'test/fixtures/sentencepiece/unigram.model')),
  'hyperparams.yaml': 'sample_rate: 8000\nn_fft: 256\nwin_length: 25\n',
};
const cnn14: Files = {
  'embedding_model.ckpt': torchStateDict(madeUp(cnn14Shapes([4, 8], 20))),
  'classifier.ckpt': torchStateDict(madeUp(cnn14HeadShapes('linear', 8, 2))),
  'label_encoder.txt': "'dog' => 0\n'rain' => 1\n================\n'starting_index' => 0\n",
};

function folderWith(folder: string, files: Files): string {
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return folder;
}

t.test('a conformer: import, transcribe, info, fit, encode, decode, eval', async (t) => {
  const folder = t.testdir();
  folderWith(join(folder, 'asr'), conformer);
  const imported = await acom(folder, 'import', 'speechbrain-conformer', 'asr', '-o', 'asr.safetensors');
  t.equal(imported.code, 0, imported.stderr);
  const lines = imported.stdout.trim().split('\n');
  t.match(
    lines[0],
    /^asr\.safetensors: [\d,]+ bytes, speechbrain-conformer-d16, \d+ tensors taken, \d+ not needed and left out$/,
  );
  t.equal(lines[1], 'next: acom transcribe -m asr.safetensors in.wav, or acom model fit asr.safetensors');
  t.equal(lines.length, 2, 'nothing was assumed');
  t.equal(imported.stderr, '');

  const transcribed = await acom(folder, 'transcribe', '-m', 'asr.safetensors', sample('digits'), '--json');
  t.equal(transcribed.code, 0, transcribed.stderr);
  const { text, words } = JSON.parse(transcribed.stdout) as { text: string; words: { word: string }[] };
  t.equal(text, words.map(({ word }) => word).join(' '));
  t.notMatch(text, /\u2581/);
  t.match(await acom(folder, 'info', 'asr.safetensors'), {
    code: 0,
    stdout: /model +speechbrain-conformer-d16, a network without codebooks: fit some with acom model fit\n/,
  });
  t.match(await acom(folder, 'encode', '-m', 'asr.safetensors', sample('digits'), '-o', 'x.acom'), {
    code: 1,
    stderr: /a network without codebooks/,
  });

  const [first, second] = readSamples();
  const fitted = await acom(
    folder,
    ...[
      'model',
      'fit',
      'asr.safetensors',
      join(samplesFolder, first!.path),
      join(samplesFolder, second!.path),
    ],
    ...'-l 1 -k 2 -v 8 -o codec.safetensors'.split(' '),
  );
  t.match(fitted, { code: 0, stdout: /^codec\.safetensors: [\d,]+ bytes, .*vectors from 2 recordings\n$/ });
  const encoded = await acom(folder, 'encode', '-m', 'codec.safetensors', sample('digits'), '-o', 'out.acom');
  t.match(encoded, { code: 0, stdout: /-> out\.acom: 5\.42 s, \d+ bytes/ });
  const decoded = await acom(folder, 'decode', '-m', 'codec.safetensors', 'out.acom');
  t.match(decoded, { code: 0, stdout: /^out\.acom: / });
  writeFileSync(
    join(folder, 'manifest.jsonl'),
    [first!, second!]
      .map(({ path, transcript }) => JSON.stringify({ path: join(samplesFolder, path), transcript }))
      .join('\n'),
  );
  const evaluated = await acom(folder, 'eval', '-m', 'codec.safetensors', 'manifest.jsonl', '--json');
  t.equal(evaluated.code, 0, evaluated.stderr);
  const result = JSON.parse(evaluated.stdout) as { points: { k: number }[] };
  t.match(result, { task: 'recognition', recordings: 2, continuous: { rate: Number } });
  t.same(
    result.points.map(({ k }) => k),
    [1, 2],
  );
});

t.test('a conformer without hyperparams.yaml: what is missing is said or assumed', async (t) => {
  const folder = t.testdir();
  const { 'hyperparams.yaml': _yaml, 'tokenizer.ckpt': _tokenizer, ...files } = conformer;
  folderWith(join(folder, 'asr'), files);
  const command = ['import', 'speechbrain-conformer', 'asr', '-o', 'asr.safetensors'];
  const without = await acom(folder, ...command);
  t.match(without, { code: 2, stderr: /^acom: asr: width 16 .*\(--fft and --window\)\n$/ });
  t.notOk(existsSync(join(folder, 'asr.safetensors')));
  const said = await acom(folder, ...command, '--fft', '512', '--window', '400', '--name', 'mine');
  t.match(said, {
    code: 0,
    stdout: / bytes, mine, .*\nnote: no tokenizer\.ckpt: pieces are shown as their numbers\n/,
  });
  const { stdout } = await acom(folder, 'info', 'asr.safetensors', '--json');
  t.match(JSON.parse(stdout), {
    type: 'network',
    config: {
      name: 'mine',
      frontEnd: { sampleRate: 16000, fftSize: 512, windowSamples: 400, hopSamples: 160 },
    },
  });
});

t.test('CNN14: import and classify', async (t) => {
  const folder = t.testdir();
  folderWith(join(folder, 'cnn14'), cnn14);
  const command = ['import', 'speechbrain-cnn14', 'cnn14/', '-o', 'new/cnn14.safetensors'];
  const imported = await acom(folder, ...command, '--front-end', '44k', '--clip', '2s');
  t.match(imported, {
    code: 0,
    stdout: /^new\/cnn14\.safetensors: .*\nnext: acom classify -m new\/cnn14\.safetensors/,
  });
  const classified = await acom(
    folder,
    'classify',
    '-m',
    'new/cnn14.safetensors',
    sample('digits'),
    '--json',
  );
  const verdict = JSON.parse(classified.stdout) as { label: string; clips: unknown[] };
  t.ok(['dog', 'rain'].includes(verdict.label));
  t.equal(verdict.clips.length, 3, '5.42 s in clips of 2 s');
  t.match(await acom(folder, ...command, '--front-end', '8k'), {
    code: 2,
    stderr: /--front-end is 8k; use 16k or 44k/,
  });
  t.match(await acom(folder, ...command, '--clip', '-3'), { code: 2 });
  t.match(await acom(folder, 'transcribe', '-m', 'new/cnn14.safetensors', sample('digits')), {
    code: 1,
    stderr: /is a model for classification, not for recognition: use .* \(acom decode, acom classify\)/,
  });
});

t.test("ARM's keyword networks: import and classify", async (t) => {
  const folder = t.testdir();
  for (const name of ['plain.json', 'plain.bin']) {
    copyFileSync(join(repository, 'test/fixtures/keyword-cnn', name), join(folder, name));
  }
  const imported = await acom(folder, 'import', 'arm-keywords', 'plain.json', '-o', 'keywords.safetensors');
  t.match(imported, {
    code: 0,
    stdout: /^keywords\.safetensors: .*arm-keywords, 22 tensors taken\nnext: acom classify/,
  });
  t.match(await acom(folder, 'classify', '-m', 'keywords.safetensors', sample('digits')), { code: 0 });
  t.match(await acom(folder, 'import', 'arm-keywords', 'plain.bin', '-o', 'x'), {
    code: 2,
    stderr: /name the \.json file/,
  });
  t.match(await acom(folder, 'import', 'arm-keywords', 'plain.json', '-o', 'plain.bin'), {
    code: 2,
    stderr: /plain\.bin is an input/,
  });
});

const at = 'encoder.conformer.conformer_layers.0';
const pair = (name: string, weight: readonly number[]): Shapes => ({
  [`${at}.${name}.weight`]: weight,
  [`${at}.${name}.bias`]: [weight[0]!],
});
const encoder: Shapes = {
  ...pair('ffn1.sequential.0', [8]),
  ...pair('ffn1.sequential.1', [12, 8]),
  ...pair('ffn1.sequential.4', [8, 12]),
  ...pair('self_attn_layer_norm', [8]),
  [`${at}.self_attn.in_proj_weight`]: [24, 8],
  [`${at}.self_attn.in_proj_bias`]: [24],
  ...pair('self_attn.out_proj', [8, 8]),
  ...pair('conv_module.layer_norm', [8]),
  ...pair('conv_module.sequential.0', [16, 8, 1]),
  ...pair('conv_module.sequential.2', [8, 1, 5]),
  ...pair('conv_module.sequential.3', [8]),
  ...pair('conv_module.sequential.5', [8, 8, 1]),
  ...pair('ffn2.sequential.0', [8]),
  ...pair('ffn2.sequential.1', [12, 8]),
  ...pair('ffn2.sequential.4', [8, 12]),
  ...pair('final_layer_norm', [8]),
  'joiner.weight': [3],
};

t.test("torchaudio's Conformer: import and info", async (t) => {
  const folder = folderWith(t.testdir(), { 'rnnt.pt': torchStateDict(madeUp(encoder)) });
  const command = ['import', 'torchaudio-conformer', 'rnnt.pt', '-o', 'encoder.safetensors'];
  const imported = await acom(folder, ...command, '--heads', '2', '--convolution-first');
  t.match(imported, {
    code: 0,
    stdout:
      /^encoder\.safetensors: .* 30 tensors taken, 1 not needed and left out\nnote: encoder\.conformer\. was taken off their names\nnext: acom info/,
  });
  const { config } = await loadTorchaudioConformer(join(folder, 'encoder.safetensors'));
  t.match(config, {
    width: 8,
    heads: 2,
    layers: 1,
    feedForward: 12,
    depthwiseTaps: 5,
    norm: 'group',
    convolutionFirst: true,
  });
  const info = await acom(folder, 'info', 'encoder.safetensors');
  t.match(info.stdout, /encoder +torchaudio's Conformer, .*no front end and no head\n/);
  t.match(
    info.stdout,
    /network +width 8, 1 layers, 2 heads, feed-forward 12\n +convolution +kernel 5, group norm, convolution before attention\n/,
  );
  t.match(JSON.parse((await acom(folder, 'info', 'encoder.safetensors', '--json')).stdout), {
    type: 'encoder',
    config,
  });
  t.match(await acom(folder, 'transcribe', '-m', 'encoder.safetensors', sample('digits')), {
    code: 1,
    stderr: /no codec model but format "acom encoder 1"/,
  });
  t.match(await acom(folder, ...command), { code: 2, stderr: /required option '--heads <n>'/ });
  t.match(await acom(folder, ...command, '--heads', '3'), {
    code: 1,
    stderr: /^acom: rnnt\.pt: .*does not divide into 3 heads\n$/,
  });
  t.match(await acom(folder, 'import', 'torchaudio-conformer', 'rnnt.pt', '-o', 'rnnt.pt', '--heads', '2'), {
    code: 2,
    stderr: /rnnt\.pt is an input/,
  });
  t.match(await acom(folder, 'import', 'torchaudio-conformer', 'none.pt', '-o', 'x', '--heads', '2'), {
    code: 1,
    stderr: /^acom: none\.pt: there is no such file\n$/,
  });
});

t.test('nothing is written where an import fails, and one line says why', async (t) => {
  const folder = t.testdir();
  folderWith(join(folder, 'asr'), conformer);
  const asr = conformer['asr.ckpt'] as Uint8Array;
  folderWith(join(folder, 'cut'), { ...conformer, 'asr.ckpt': asr.slice(0, asr.length / 2) });
  folderWith(join(folder, 'other'), { ...conformer, 'asr.ckpt': cnn14['embedding_model.ckpt']! });
  const { 'normalizer.ckpt': _normalizer, ...lacking } = conformer;
  folderWith(join(folder, 'lacking'), lacking);
  const before = readdirSync(folder).sort();
  for (const [from, code, message] of [
    ['cut', 1, /^acom: cut: asr\.ckpt: .*cut short/],
    ['other', 1, /^acom: other: asr\.ckpt: .*this is no model of SpeechBrain's conformer recipes/],
    ['lacking', 1, /^acom: lacking: normalizer\.ckpt: there is no such file; weights\/README\.md says which/],
    ['nothing', 1, /^acom: nothing: there is no such folder\n/],
    ['asr/asr.ckpt', 2, /^acom: asr\/asr\.ckpt is a file: name the folder that it is in\n/],
  ] as const) {
    const run = await acom(folder, 'import', 'speechbrain-conformer', from, '-o', 'out.safetensors');
    t.match(run, { code, stdout: '', stderr: message }, from);
    t.ok(oneLine(run.stderr), run.stderr);
  }
  const onto = await acom(folder, 'import', 'speechbrain-conformer', 'asr', '-o', 'asr/asr.ckpt');
  t.match(onto, { code: 2, stderr: /asr\/asr\.ckpt is an input: writing it would lose it/ });
  t.same(new Uint8Array(readFileSync(join(folder, 'asr/asr.ckpt'))), asr, 'inputs are as they were');
  t.same(readdirSync(folder).sort(), before);
});

t.test('into a pipe, and what --help says', async (t) => {
  const folder = folderWith(join(t.testdir(), 'cnn14'), cnn14);
  const { stdout, stderr, code } = await piped(
    new Uint8Array(0),
    'import',
    'speechbrain-cnn14',
    folder,
    '-o',
    '-',
  );
  t.equal(code, 0);
  t.equal(stdout[8], 0x7b, 'the file alone');
  t.match(stderr, /^-: [\d,]+ bytes, speechbrain-cnn14, /);
  t.same(messages(stderr), []);
  const all = await acom(folder, 'import', '--help');
  for (const [kind, option] of [
    ['speechbrain-conformer', /--window <samples>[\s\S]*weights\/README\.md[\s\S]*Examples:/],
    ['speechbrain-cnn14', /--front-end <which>[\s\S]*label_encoder\.txt|Examples:/],
    ['arm-keywords', /Examples:/],
    ['torchaudio-conformer', /--convolution-first[\s\S]*Examples:/],
  ] as const) {
    t.match(all.stdout, new RegExp(`\\n  ${kind} `));
    const help = await acom(folder, 'import', kind, '--help');
    t.match(help, { code: 0, stdout: option }, kind);
  }
  t.match(await acom(folder, 'import', 'speechbrain-conformer', '.'), {
    code: 2,
    stderr: /required option '-o/,
  });
});
