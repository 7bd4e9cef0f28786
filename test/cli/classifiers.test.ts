/** Classifiers on the command line: classify, fit, encode, decode, info, eval and its drawing. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { writeWav } from '../../src/audio/index.js';
import { loadCodecModel, loadNetworkModel } from '../../src/codec/index.js';
import { CLIP, RATE, sound, tinyCnn14, tinyKeywordConformer } from '../support/classifiers.js';
import { acom, main, oneLine, shell } from '../support/cli.js';
import { modelFile, samplesFolder } from '../support/commands.js';

type Tree = { [name: string]: string | Buffer | Tree };

const network = await tinyCnn14();
const uncut = await (await loadNetworkModel(network)).uncutClassifier();

/** A folder with a network, ten recordings in `in`, and manifests. The labels are what the uncut model says, all but the last. */
function made(t: { testdir(content: Tree): string }): string {
  const names = Array.from({ length: 10 }, (_, n) => `${n}.wav`);
  const sounds = names.map((_, n) => sound(2.2 * CLIP, n));
  const heard = sounds.map((samples) => {
    const pcm = samples.map((x) => Math.round(32_767 * x) / 32_767);
    return uncut.classify(pcm, RATE).label!;
  });
  const other = ['a', 'b', 'c', 'd', 'e'].find((label) => label !== heard[9])!;
  const lines = names.map((name, n) =>
    JSON.stringify({ path: `in/${name}`, label: n === 9 ? other : heard[n] }),
  );
  return t.testdir({
    'network.safetensors': Buffer.from(network),
    'test.jsonl': `${lines.join('\n')}\n`,
    'strange.jsonl': `${lines[0]}\n{"path": "in/1.wav", "label": "f"}\n`,
    'words.jsonl': '{"path": "in/1.wav", "transcript": "yes"}\n',
    'silent.wav': Buffer.from(writeWav(new Float32Array(0), { sampleRate: RATE })),
    in: Object.fromEntries(
      names.map((name, n) => [
        name,
        Buffer.from(writeWav(sounds[n]!, { sampleRate: RATE, encoding: 'float32' })),
      ]),
    ),
  });
}

const FIT = ['model', 'fit', 'network.safetensors'] as const;
const CUT = ['-l', '2', '-k', '2', '-v', '8', '--groups', '2'] as const;

t.test('classify by the uncut model', async (t) => {
  const folder = made(t);
  const { code, stdout, stderr } = await acom(
    folder,
    'classify',
    '-m',
    'network.safetensors',
    'in/3.wav',
    'silent.wav',
  );
  t.equal(code, 0, stderr);
  const verdict = uncut.classify(sound(2.2 * CLIP, 3), RATE);
  const [first, second, third] = verdict.classes;
  const shown = (each: typeof first) => `${each!.label} ${each!.probability.toFixed(2)}`;
  const lines = stdout.split('\n');
  t.equal(lines[0], `in/3.wav: ${verdict.label}`);
  t.equal(lines[1], `  ${shown(first)}, ${shown(second)}, ${shown(third)}`);
  t.match(lines[2]!, /^ +0\.00 – 0\.40 s +[a-e] +0\.\d\d$/);
  t.match(lines[3]!, /^ +0\.40 – 0\.80 s/);
  t.match(lines[4]!, /^ {2}0\.88 s, uncut model$/);
  t.match(lines.slice(5).join('\n'), /^silent\.wav: \(nothing to classify\)\n {2}0\.00 s, uncut model\n$/);
  const json = JSON.parse(
    (await acom(folder, 'classify', '-m', 'network.safetensors', 'in/3.wav', '--json')).stdout,
  );
  t.same(json, { file: 'in/3.wav', ...verdict });
  t.match(await acom(folder, 'classify', 'in/3.wav'), {
    code: 1,
    stderr: /commands is a model for recognition, not for classification: .*acom transcribe/,
  });
  t.match(await acom(folder, 'transcribe', '-m', 'network.safetensors', 'in/3.wav'), {
    code: 1,
    stderr: /tiny-cnn14 is a model for classification, not for recognition: .*acom classify/,
  });
});

t.test('fit, encode, decode, info', async (t) => {
  const folder = made(t);
  const fitted = await acom(folder, ...FIT, 'in', '-o', 'codec.safetensors', ...CUT, '--name', 'tiny-codec');
  t.equal(fitted.code, 0, fitted.stderr);
  const file = readFileSync(join(folder, 'codec.safetensors'));
  const model = await loadCodecModel(new Uint8Array(file));
  const fingerprint = model.fingerprint.toString(16).padStart(8, '0');
  t.equal(
    fitted.stdout,
    `codec.safetensors: ${file.length.toLocaleString('en-US')} bytes, tiny-codec, fingerprint ${fingerprint}, ` +
      'codebooks of 200 vectors from 10 recordings\n',
  );
  // Folder, files and manifest are the same recordings.
  for (const [output, ...recordings] of [
    ['files.safetensors', ...Array.from({ length: 10 }, (_, n) => `in/${n}.wav`)],
    ['manifest.safetensors', 'test.jsonl'],
  ] as const) {
    t.equal(
      (await acom(folder, ...FIT, ...recordings, '-o', output, ...CUT, '--name', 'tiny-codec')).code,
      0,
    );
    t.ok(file.equals(readFileSync(join(folder, output))), output);
  }

  const encoded = await acom(
    folder,
    'encode',
    'in/3.wav',
    '-o',
    'x.acom',
    '-m',
    'codec.safetensors',
    '-p',
    '0.4s',
  );
  t.match(encoded.stdout, /0\.88 s, \d+ bytes, \d+ bit\/s in all \(2 codebooks: raw 273, entropy \d+\)/);
  const bytes = readFileSync(join(folder, 'x.acom'));
  const cloud = await model.cloudClassifier();
  const verdict = cloud.classify(new Uint8Array(bytes));
  const decode = (...args: string[]) => acom(folder, 'decode', 'x.acom', '-m', 'codec.safetensors', ...args);
  t.match(await decode(), {
    code: 0,
    stdout: new RegExp(`^x\\.acom: ${verdict.label}\n {2}${verdict.label} 0`),
  });
  t.same(JSON.parse((await decode('--json')).stdout), { file: 'x.acom', ...verdict });
  t.match((await decode('-k', '1')).stdout, /\(1 codebook: raw 136,/);
  t.match(await decode('--beam', '4'), { code: 2, stderr: /tiny-codec classifies: there is no beam/ });
  const damaged = Uint8Array.from(bytes);
  damaged[damaged.length - 1]! ^= 1;
  writeFileSync(join(folder, 'x.acom'), damaged);
  t.match(await decode(), {
    code: 3,
    stderr:
      /warning: 1 of 2 packets are damaged or missing: clips in them are lost\n.*lost from 0\.40 to 0\.80 s\n$/,
  });
  writeFileSync(join(folder, 'x.acom'), bytes);
  t.match(await acom(folder, 'decode', 'x.acom', '-m', 'network.safetensors'), {
    code: 1,
    stderr: /network\.safetensors: tiny-cnn14: this is a network without codebooks.*acom model fit/,
  });
  t.match(await acom(folder, 'decode', 'x.acom'), { code: 1, stderr: /made with the model of fingerprint/ });

  const info = (...args: string[]) => acom(folder, 'info', ...args);
  t.match(
    (await info('x.acom', '-m', 'codec.safetensors')).stdout,
    /2 codebooks, coding adaptive, model [0-9a-f]{8} \(tiny-codec\)[\s\S]*packets +2 good of 2, 10 vectors each/,
  );
  t.match(JSON.parse((await info('x.acom', '-m', 'codec.safetensors', '--json')).stdout), {
    codebooks: 2,
    seconds: 0.88,
    packets: 2,
    goodPackets: 2,
  });
  const about = (await info('codec.safetensors')).stdout;
  t.match(about, /codec model +tiny-codec \(whole\), fingerprint/);
  t.match(about, /task +classification, 5 classes at 8,000 samples a second/);
  t.match(about, /network +CNN14, 4-6-8 channels, linear head, cut after layer 2/);
  t.match(
    about,
    /2 x 8 codewords in 2 groups, 25 vectors a second of 24 numbers: raw 150\.0 bit\/s a codebook/,
  );
  // By hand: two convolutions a block, on 41 x 16, 20 x 8 and 10 x 4 pixels.
  const device = 41 * 16 * 9 * (4 + 16) + 20 * 8 * 9 * (24 + 36);
  const rest = 10 * 4 * 9 * (48 + 64) + 40;
  t.match(about, `device       ${(device / 1e6).toFixed(2)} million multiply-adds for 0.4 s`);
  t.match(about, `cloud        ${rest.toLocaleString('en-US')} multiply-adds for 0.4 s`);
  const bare = (await info('network.safetensors')).stdout;
  t.match(bare, /model +tiny-cnn14, a network without codebooks: fit some with acom model fit/);
  t.match(bare, `cost        ${((device + rest) / 1e6).toFixed(2)} million multiply-adds for 0.4 s`);
  t.match(JSON.parse((await info('network.safetensors', '--json')).stdout), {
    type: 'network',
    part: 'whole',
  });
});

t.test('a keyword conformer: fit, info, split, and both halves', async (t) => {
  const folder = made(t);
  writeFileSync(join(folder, 'keywords.safetensors'), await tinyKeywordConformer());
  const run = async (line: string) => {
    const { code, stdout, stderr } = await shell(folder, line);
    t.equal(code, 0, `${line}: ${stderr}`);
    return stdout;
  };
  await run('acom model fit keywords.safetensors in -l 1 -k 2 -v 8 -o codec.safetensors');
  t.match(
    await run('acom model recode codec.safetensors in -o recoded.safetensors'),
    // A few clips teach no contexts, and the file says so.
    /recoded\.safetensors: [\d,]+ bytes, tiny-keyword-conformer, fingerprint [0-9a-f]{8}, coding adaptive from \d+ vectors of \d+ recordings/,
  );
  const about = await run('acom info codec.safetensors');
  t.match(
    about,
    'network      keyword conformer, 2 separable blocks of 6 channels, width 8, 3 layers, cut after layer 1',
  );
  t.match(about, /2 x 8 codewords, 27\.5 vectors a second of 8 numbers: raw 82\.5 bit\/s a codebook/);
  const [device, cloud] = ['device.safetensors', 'cloud.safetensors'];
  await run(`acom model split codec.safetensors --device ${device} --cloud ${cloud}`);
  await run(`acom encode in/3.wav -o x.acom -m ${device}`);
  await run('acom encode in/3.wav -o y.acom -m codec.safetensors');
  t.ok(readFileSync(join(folder, 'x.acom')).equals(readFileSync(join(folder, 'y.acom'))));
  const model = await loadCodecModel(join(folder, 'codec.safetensors'));
  const verdict = (await model.cloudClassifier()).classify(readFileSync(join(folder, 'x.acom')));
  t.match(await run(`acom decode x.acom -m ${cloud}`), `x.acom: ${verdict.label}\n`);
  t.match(await run('acom classify in/3.wav -m codec.safetensors'), /^in\/3\.wav: [a-e]\n/);
});

t.test('fit: what can go wrong, and nothing is written', async (t) => {
  const folder = made(t);
  const before = readFileSync(join(folder, 'network.safetensors'));
  const failing: [args: string[], code: number, message: RegExp][] = [
    [
      ['in', '-l', '9', '-k', '1', '-v', '4'],
      2,
      /network\.safetensors: fit: splitLayer is 9, expected at most 3/,
    ],
    [['in', '-l', '2', '-k', '1', '-v', '4', '--groups', '5'], 2, /a divisor of the width of a vector, 24/],
    [['in', '-l', '2', '-k', '1', '-v', '4', '--per', 'band'], 2, /--per is band; use step or position/],
    [['in', '-l', '2', '-k', '1', '-v', '4000'], 2, /give 200 vectors, fewer than the 4000 codewords/],
    [['nothing.wav', '-l', '2', '-k', '1', '-v', '4'], 1, /nothing\.wav: there is no such file/],
    [['nothing.jsonl', '-l', '2', '-k', '1', '-v', '4'], 1, /nothing\.jsonl: there is no such file/],
    [['test.jsonl', 'nothing', '-l', '2', '-k', '1', '-v', '4'], 1, /nothing: there is no such file/],
    [['words.jsonl', 'network.safetensors', '-l', '2', '-k', '1', '-v', '4'], 1, /network\.safetensors: /],
  ];
  for (const [args, code, message] of failing) {
    const result = await acom(folder, ...FIT, ...args, '-o', 'out.safetensors');
    t.match(result, { code, stderr: message }, args.join(' '));
    t.ok(oneLine(result.stderr), result.stderr);
    t.notOk(existsSync(join(folder, 'out.safetensors')));
  }
  for (const input of ['network.safetensors', 'in/1.wav', 'test.jsonl']) {
    t.match(
      await acom(folder, ...FIT, 'test.jsonl', '-o', input, ...CUT),
      { code: 2, stderr: /is an input/ },
      input,
    );
  }
  t.ok(before.equals(readFileSync(join(folder, 'network.safetensors'))));
  t.match(await acom(folder, 'model', 'fit', modelFile, '-l', '3', '-k', '1', '-v', '4', '-o', 'x'), {
    code: 2,
  });
  t.match(await acom(folder, 'model', 'fit', 'in/1.wav', 'in', ...CUT, '-o', 'x'), {
    code: 1,
    stderr: /in\/1\.wav: /,
  });
});

t.test('eval of a network, and of a codec', async (t) => {
  const folder = made(t);
  const evaluate = (model: string, ...args: string[]) =>
    acom(folder, 'eval', 'test.jsonl', '-m', model, ...args);
  const bare = await evaluate('network.safetensors');
  t.match(bare, {
    code: 0,
    stdout:
      /^tiny-cnn14: 10 recordings, 8\.80 s\n\n +raw bit\/s +entropy +coded +right +accuracy +95 % interval\ncontinuous +9 of 10 +90\.00 % +59\.6 – 98\.2 %\n/,
  });
  t.match(bare.stdout, /multiply-adds for a second: [\d.,]+ (million)?\nthis network has no codebooks/);
  t.match(JSON.parse((await evaluate('network.safetensors', '--json')).stdout), {
    task: 'classification',
    metric: 'accuracy',
    model: 'tiny-cnn14',
    recordings: 10,
    continuous: { count: 9, total: 10, rate: 0.9 },
    points: [],
  });
  await acom(folder, ...FIT, 'in', '-o', 'codec.safetensors', ...CUT);
  const first = await evaluate(
    'codec.safetensors',
    '--json',
    '--details',
    'details.jsonl',
    '--svg',
    'curve.svg',
  );
  t.equal(first.code, 0, first.stderr);
  const result = JSON.parse(first.stdout) as { points: { k: number; codedBitRate: number }[] };
  t.same(
    result.points.map(({ k }) => k),
    [1, 2],
  );
  const details = readFileSync(join(folder, 'details.jsonl'), 'utf8');
  t.equal(details.trim().split('\n').length, 10);
  writeFileSync(join(folder, 'details.jsonl'), details.slice(0, details.length / 2));
  const again = JSON.parse(
    (await evaluate('codec.safetensors', '--json', '--details', 'details.jsonl')).stdout,
  );
  t.same({ ...again, deviceSpeed: 0, cloudSpeed: 0 }, { ...result, deviceSpeed: 0, cloudSpeed: 0 });
  t.match(await evaluate('network.safetensors', '--details', 'details.jsonl'), {
    code: 2,
    stderr: /another model or beam/,
  });
  const table = (await evaluate('codec.safetensors', '--details', 'details.jsonl')).stdout;
  t.match(table, /k = 1 +136\.4 .* of 10 +\d+\.00 % +[\d.]+ – [\d.]+ %\nk = 2 +272\.7 /);
  t.match(table, /device half \d+ times, cloud half \d+ times faster/);

  const failing: [args: string[], code: number, message: RegExp][] = [
    [
      ['strange.jsonl'],
      1,
      /strange\.jsonl: entry 2 has the label "f", which tiny-cnn14 does not know; its labels are a, b, c, d, e\n/,
    ],
    [['words.jsonl'], 1, /entry 1 has no "path" and "label"/],
    [['test.jsonl', '--beam', '4'], 2, /tiny-cnn14 classifies: there is no beam/],
    [['test.jsonl', '--svg', 'in/1.wav'], 2, /in\/1\.wav is an input/],
    [['test.jsonl', '--svg', 'codec.safetensors'], 2, /codec\.safetensors is an input/],
    [['test.jsonl', '--svg', 'test.jsonl'], 2, /test\.jsonl is an input/],
  ];
  for (const [args, code, message] of failing) {
    const wrong = await acom(folder, 'eval', '-m', 'codec.safetensors', ...args);
    t.match(wrong, { code, stderr: message }, args.join(' '));
    t.ok(oneLine(wrong.stderr), wrong.stderr);
  }
  t.match(await evaluate('network.safetensors', '--svg', 'x.svg'), {
    code: 2,
    stderr: /no codebooks, so there is no curve/,
  });
});

t.test('without vega, --svg says what to install, before any work', async (t) => {
  const folder = made(t);
  writeFileSync(
    join(folder, 'hooks.mjs'),
    "export async function resolve(name, context, next) { if (name === 'vega') throw Object.assign(new Error('gone'), { code: 'ERR_MODULE_NOT_FOUND' }); return next(name, context); }",
  );
  writeFileSync(
    join(folder, 'register.mjs'),
    "import { register } from 'node:module'; register('./hooks.mjs', import.meta.url);",
  );
  const run = await shell(
    folder,
    `node --import ./register.mjs ${main} eval ${samplesFolder}/manifest.jsonl --details details.jsonl --svg curve.svg`,
  );
  t.match(run, {
    code: 1,
    stderr: /^acom: Drawing needs the packages vega and vega-lite: npm install vega vega-lite\n$/,
  });
  t.notOk(existsSync(join(folder, 'details.jsonl')), 'nothing was evaluated');
});

t.test('help of the commands', async (t) => {
  for (const command of [['classify'], ['decode'], ['eval'], ['model', 'fit']]) {
    t.match(await acom('.', ...command, '--help'), { code: 0, stdout: /Examples:/ }, command.join(' '));
  }
});
