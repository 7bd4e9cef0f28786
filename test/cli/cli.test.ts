/** The command as a user runs it: pipes, folders, exit codes, one-line errors. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readWav, writeWav } from '../../src/audio/index.js';
import { acom, oneLine, piped, sample, shell } from '../support/cli.js';
import { loadCommands, modelFile, noise, readSamples } from '../support/commands.js';

t.test('encode, decode, transcribe, info', async (t) => {
  const folder = t.testdir();
  const encoded = await acom(folder, 'encode', sample('digits'), '-o', 'out.acom');
  t.equal(encoded.code, 0, encoded.stderr);
  t.match(
    encoded.stdout,
    /digits\.wav -> out\.acom: 5\.42 s, \d+ bytes, \d\d bit\/s in all \(2 codebooks: raw 50/,
  );
  const { size } = statSync(join(folder, 'out.acom'));
  const { samples, sampleRate } = readWav(readFileSync(sample('digits')));
  const coded = (8 * size) / (samples.length / sampleRate);
  t.match(encoded.stdout, new RegExp(`: 5\\.42 s, ${size} bytes, ${coded.toFixed(0)} bit/s in all`));
  const decoded = await acom(folder, 'decode', 'out.acom');
  t.match(decoded.stdout, new RegExp(`5\\.42 s, ${size} bytes, ${coded.toFixed(0)} bit/s in all`));
  t.match(decoded, {
    code: 0,
    stdout: /^out\.acom: seven three one nine five\n +0\.\d\d – 0\.\d\d s +seven +[01]\.\d\d\n/,
  });
  const json = JSON.parse(
    (await acom(folder, 'decode', 'out.acom', '--json', '--beam', '4')).stdout,
  ) as Record<string, unknown>;
  t.match(json, {
    file: 'out.acom',
    text: 'seven three one nine five',
    codebooks: 2,
    missing: [],
    warnings: [],
  });
  t.equal((json['words'] as unknown[]).length, 5);
  t.match(await acom(folder, 'transcribe', sample('digits')), {
    code: 0,
    stdout: /digits\.wav: seven three one nine five/,
  });
  const stream = await acom(folder, 'info', 'out.acom', '--json');
  const { bitRate } = JSON.parse(stream.stdout) as { bitRate: number };
  t.ok(Math.abs(bitRate - coded) < 1e-9, `${bitRate} bit/s are those of the file`);
  const { fingerprint } = await loadCommands();
  const hex = fingerprint.toString(16).padStart(8, '0');
  t.match(JSON.parse(stream.stdout), {
    type: 'acom stream',
    fingerprint: hex,
    model: 'commands',
    codebooks: 2,
    packets: 1,
    goodPackets: 1,
  });
  t.match((await acom(folder, 'info', 'out.acom')).stdout, /duration +5\.42 s/);
  const wav = JSON.parse((await acom(folder, 'info', sample('counting'), '--json')).stdout) as unknown;
  t.match(wav, {
    type: 'recording',
    sampleRate: 22050,
    channels: 1,
    samples: 110725,
    missingSamples: 0,
    notFinite: 0,
  });
  const model = JSON.parse((await acom(folder, 'info', modelFile, '--json')).stdout) as {
    tensors: unknown[];
  };
  t.match(model, { type: 'codec model', part: 'whole', fingerprint: hex });
  t.equal(model.tensors.length, 156);
  t.match((await acom(folder, 'info', modelFile)).stdout, /device +230\.7 million multiply-adds for 10 s/);
});

t.test("encode to a bit rate, and by a coding of one's choice", async (t) => {
  const folder = t.testdir();
  const line = (stdout: string) =>
    JSON.parse(stdout) as { bytes: number; codedBitRate: number; codebooks: number };
  const encoded = async (...args: string[]) => {
    const { code, stdout, stderr } = await acom(
      folder,
      'encode',
      sample('digits'),
      '-o',
      'out.acom',
      '--json',
      ...args,
    );
    t.equal(code, 0, stderr);
    return line(stdout);
  };
  const full = await encoded('-b', '1000', '-p', '1s');
  const less = await encoded('-b', '70', '-p', '2s');
  t.equal(full.codebooks, 4);
  t.ok(less.codedBitRate < 95 && less.codedBitRate < full.codedBitRate, `${less.codedBitRate} bit/s`);
  t.match((await acom(folder, 'info', 'out.acom')).stdout, /4 codebooks at most, coding context, model/);
  t.equal((await acom(folder, 'decode', 'out.acom')).code, 0);
  const packed = await encoded('--coding', 'packed');
  const context = await encoded('--coding', 'context');
  t.ok(context.bytes < 0.8 * packed.bytes, `${context.bytes} bytes of ${packed.bytes}`);
  t.match(await acom(folder, 'encode', sample('digits'), '--coding', 'zip', '-o', 'x.acom'), {
    code: 2,
    stderr: /coding is zip; there are packed, order-0, adaptive, context/,
  });
  t.match(await acom(folder, 'encode', sample('digits'), '-b', '0', '-o', 'x.acom'), {
    code: 2,
    stderr: /above 0/,
  });
});

t.test('pipes', async (t) => {
  const encoded = await piped(readFileSync(sample('mixed')), 'encode', '-', '-k', '2', '-p', '1s');
  t.equal(encoded.code, 0, encoded.stderr);
  t.match(encoded.stderr, /standard input -> standard output/);
  const decoded = await piped(encoded.stdout, 'decode', '-', '--json');
  t.match(JSON.parse(decoded.stdout.toString()), { text: 'yes two four no eight', codebooks: 2 });
  t.match(
    (await piped(encoded.stdout, 'info', '-')).stdout.toString(),
    /packets +6 good of 6, 3 vectors each/,
  );
  t.match(
    (await piped(readFileSync(sample('mixed')), 'info', '-')).stdout.toString(),
    /16,000 samples a second/,
  );
  t.match(await piped(new Uint8Array(0), 'decode', '-'), { code: 1, stderr: /standard input: .*empty/ });
  const stopped = await shell(t.testdir(), `acom info ${modelFile} | head -1`);
  t.match(stopped, { code: 0, stdout: /commands\.safetensors/ });
  t.equal(stopped.stderr, '', 'a reader that stops early is no error');
});

t.test('folders, patterns, and outputs that would collide', async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, 'in/deep'), { recursive: true });
  writeFileSync(join(folder, 'in/a.wav'), readFileSync(sample('digits')));
  writeFileSync(join(folder, 'in/deep/b.WAV'), readFileSync(sample('turns')));
  writeFileSync(join(folder, 'in/notes.txt'), 'no recording');
  t.equal((await acom(folder, 'encode', 'in', '-o', 'out')).code, 0);
  t.same(readdirSync(join(folder, 'out'), { recursive: true }).sort(), [
    '.acom-batch.jsonl',
    'a.acom',
    'deep',
    'deep/b.acom',
  ]);
  const decoded = await acom(folder, 'decode', 'out/**/*.acom');
  t.match(decoded.stdout, /a\.acom: seven three one nine five[\s\S]*b\.acom: go left stop right on/);
  t.equal((await acom(folder, 'encode', 'in/*.wav')).code, 0);
  t.ok(existsSync(join(folder, 'in/a.acom')), 'beside the recording');
  const refused: [string[], number, RegExp][] = [
    [['encode', 'in/a.wav', sample('digits'), '-o', '-'], 2, /several outputs.*folder/],
    [['encode', 'in/a.wav', '-o', 'in/a.wav'], 2, /is an input/],
    [['encode', 'in/*.mp3'], 1, /no file matches/],
    [['decode', 'in/deep'], 1, /no \.acom files/],
    [['encode', 'nothing.wav'], 1, /nothing\.wav: there is no such file/],
  ];
  for (const [args, code, message] of refused) {
    const result = await acom(folder, ...args);
    t.match(result, { code, stderr: message }, args.join(' '));
    t.ok(oneLine(result.stderr), result.stderr);
  }
  writeFileSync(join(folder, 'a.wav'), readFileSync(sample('digits')));
  t.match(await acom(folder, 'encode', 'a.wav', 'in/a.wav', '-o', 'out'), {
    code: 2,
    stderr: /would both be written/,
  });
  t.notOk(
    readdirSync(join(folder, 'out')).some((name) => name.includes('.part')),
    'no unfinished files',
  );
});

t.test('recordings as people have them', async (t) => {
  const folder = t.testdir();
  const write = (name: string, bytes: Uint8Array) => writeFileSync(join(folder, name), bytes);
  const broken = noise(4000);
  broken[3000] = Number.NaN;
  write('nan.wav', writeWav(broken, { sampleRate: 8000, encoding: 'float32' }));
  write('empty.wav', new Uint8Array(0));
  write('silent.wav', writeWav(new Float32Array(0), { sampleRate: 8000 }));
  write('short.wav', writeWav(noise(5), { sampleRate: 8000 }));
  write('cut.wav', readFileSync(sample('digits')).subarray(0, 60_000));
  write('wide.wav', eightChannels(sample('digits')));
  write('fast.wav', writeWav(noise(100), { sampleRate: 2_000_000 }));
  write('text.wav', new TextEncoder().encode('this is a text file'));

  const failing: [string, RegExp][] = [
    ['nan.wav', /nan\.wav: sample 3000 \(0\.375 s\) is NaN.*repair/],
    ['empty.wav', /empty\.wav: .*empty/],
    ['fast.wav', /fast\.wav: .*2000000 samples a second.*768000/],
    ['text.wav', /text\.wav: .*no WAV, FLAC, .*MP3.*ffmpeg/],
  ];
  for (const [name, message] of failing) {
    const result = await acom(folder, 'encode', name);
    t.match(result, { code: 1, stderr: message }, name);
    t.ok(oneLine(result.stderr), result.stderr);
    t.notOk(existsSync(join(folder, name.replace('.wav', '.acom'))), 'nothing is written');
  }
  t.match(await acom(folder, 'encode', 'silent.wav', 'short.wav'), { code: 0 });
  t.match(await acom(folder, 'decode', 'silent.acom', 'short.acom'), {
    code: 0,
    stdout: /silent\.acom: \(nothing was heard\)/,
  });
  writeFileSync(join(folder, 'cut.jsonl'), JSON.stringify({ path: 'cut.wav', transcript: 'one' }));
  for (const command of [
    ['encode', 'cut.wav'],
    ['transcribe', 'cut.wav'],
    ['eval', 'cut.jsonl'],
  ]) {
    t.match(await acom(folder, ...command), {
      code: 0,
      stderr: /cut\.wav: warning: .*cut short: \d+ samples/,
    });
  }
  t.match((await acom(folder, 'decode', 'cut.acom')).stdout, /cut\.acom: seven three one nine/);
  t.match(await acom(folder, 'encode', 'wide.wav'), { code: 0 });
  t.match(
    (await acom(folder, 'info', 'wide.wav')).stdout,
    /192,000 samples a second, 8 channels, mixed to one/,
  );
  t.match((await acom(folder, 'decode', 'wide.acom')).stdout, /wide\.acom: seven three one nine five/);

  const several = await acom(folder, 'encode', 'nan.wav', 'short.wav', '-o', 'out/');
  t.match(
    several,
    { code: 1, stdout: /short\.wav -> /, stderr: /nan\.wav/ },
    'one that fails does not stop the others',
  );
  const debugged = await acom(folder, '--debug', 'encode', 'nan.wav');
  t.match(debugged.stderr, /\n\s+at /, 'a stack trace only with --debug');
});

/** The recording at 192 kHz on all of eight channels, 24 bits. */
function eightChannels(path: string): Uint8Array {
  const { samples, sampleRate } = readWav(readFileSync(path));
  const factor = 192_000 / sampleRate;
  const mono = new Float32Array(samples.length * factor);
  for (let i = 0; i < mono.length; i++) {
    const [at, part] = [Math.floor(i / factor), (i % factor) / factor];
    mono[i] = samples[at]! * (1 - part) + (samples[at + 1] ?? 0) * part;
  }
  const plain = writeWav(mono, { sampleRate: 192_000, encoding: 24 });
  const wide = new Uint8Array(44 + 8 * (plain.length - 44));
  wide.set(plain.subarray(0, 44));
  const header = new DataView(wide.buffer);
  header.setUint16(22, 8, true);
  header.setUint16(32, 24, true);
  header.setUint32(40, wide.length - 44, true);
  for (let i = 0; i < mono.length; i++) {
    for (let c = 0; c < 8; c++) wide.set(plain.subarray(44 + 3 * i, 47 + 3 * i), 44 + 24 * i + 3 * c);
  }
  return wide;
}

t.test('info of samples that are no numbers', async (t) => {
  const folder = t.testdir();
  const samples = Float32Array.from([0.5, Number.NaN, -0.5, Infinity]);
  writeFileSync(join(folder, 'nan.wav'), writeWav(samples, { sampleRate: 8000, encoding: 'float32' }));
  t.match(JSON.parse((await acom(folder, 'info', 'nan.wav', '--json')).stdout), {
    peak: 0.5,
    rms: 0.5,
    notFinite: 2,
  });
  const { stdout } = await acom(folder, 'info', 'nan.wav');
  t.match(stdout, /peak -6\.0 dB, mean -6\.0 dB of full scale, of the samples that are numbers/);
  t.match(stdout, /2 of 4 samples are no finite numbers/);
  const none = Float32Array.from([Number.NaN]);
  writeFileSync(join(folder, 'nan.wav'), writeWav(none, { sampleRate: 8000, encoding: 'float32' }));
  t.match((await acom(folder, 'info', 'nan.wav')).stdout, /level +unknown: no sample is a number/);
});

t.test('rates of a part of the codebooks are those of that part', async (t) => {
  const folder = t.testdir();
  const rates = async (...args: string[]) =>
    /\d+ bytes, .* bit\/s in all .*/.exec((await acom(folder, 'decode', ...args)).stdout)?.[0];
  for (const k of ['1', '2']) await acom(folder, 'encode', sample('digits'), '-o', `${k}.acom`, '-k', k);
  const one = await rates('1.acom');
  t.match(one, /\(1 codebook: /);
  t.equal(await rates('2.acom', '-k', '1'), one);
  t.equal(await rates('2.acom', '-k', '2'), await rates('2.acom'));
  await acom(folder, 'encode', sample('digits'), '-o', 'damaged.acom', '-k', '2', '-p', '1s');
  const damaged = readFileSync(join(folder, 'damaged.acom'));
  damaged[40]! ^= 4;
  writeFileSync(join(folder, 'damaged.acom'), damaged);
  t.match(await rates('damaged.acom', '-k', '1'), /\(2 codebooks: .*\), as it arrived/);
});

t.test('streams that were damaged on the way', async (t) => {
  const folder = t.testdir();
  await acom(folder, 'encode', sample('digits'), '-o', 'good.acom', '-p', '1s');
  const good = new Uint8Array(readFileSync(join(folder, 'good.acom')));
  const damaged = good.slice();
  damaged[40]! ^= 4;
  writeFileSync(join(folder, 'damaged.acom'), damaged);
  const header = good.slice();
  header[4]! ^= 1;
  writeFileSync(join(folder, 'header.acom'), header);
  const result = await acom(folder, 'decode', 'damaged.acom');
  t.match(result, {
    code: 3,
    stderr: /warning: 1 of 6 packets are damaged[\s\S]*lost from \d\.\d\d to \d\.\d\d s/,
  });
  t.match(await acom(folder, 'decode', 'header.acom'), {
    code: 1,
    stderr: /header\.acom: the stream is damaged: none/,
  });
  t.match(await acom(folder, 'decode', 'good.acom', 'header.acom'), { code: 1, stdout: /good\.acom: seven/ });
  t.match(JSON.parse((await acom(folder, 'info', 'damaged.acom', '--json')).stdout), {
    packets: 6,
    goodPackets: 5,
  });
});

t.test('models: split, one half each, another one', async (t) => {
  const folder = t.testdir();
  const split = await acom(
    folder,
    'model',
    'split',
    '--device',
    'device.safetensors',
    '--cloud',
    'cloud.safetensors',
  );
  t.match(split, { code: 0, stdout: /device\.safetensors: [\d,]+ bytes\ncloud\.safetensors: [\d,]+ bytes/ });
  t.match(await acom(folder, 'encode', sample('turns'), '-o', 'x.acom', '-m', 'device.safetensors'), {
    code: 0,
  });
  t.match(await acom(folder, 'decode', 'x.acom', '-m', 'cloud.safetensors'), {
    code: 0,
    stdout: /go left stop right on/,
  });
  t.match(await acom(folder, 'decode', 'x.acom', '-m', 'device.safetensors'), {
    code: 1,
    stderr: /only the device half/,
  });
  t.match(await acom(folder, 'decode', 'x.acom', '-m', 'x.acom'), { code: 1, stderr: /safetensors/ });
  t.match(await acom(folder, 'decode', 'x.acom', '-m', 'none.safetensors'), {
    code: 1,
    stderr: /none\.safetensors: there is no such file/,
  });
});

t.test('arguments', async (t) => {
  const folder = t.testdir();
  for (const args of [
    [],
    ['encode'],
    ['decode', 'x', '--beam', 'wide'],
    ['encode', 'x', '-p', '1 hour'],
    ['encode', 'x', '-k', '1.5'],
    ['sing'],
  ]) {
    t.equal((await acom(folder, ...args)).code, 2, args.join(' '));
  }
  t.match(await acom(folder, 'encode', sample('turns'), '-k', '9', '-o', 'x.acom'), {
    code: 2,
    stderr: /this model has 4: use a whole number from 1 to 4/,
  });
  t.match(await acom(folder, '--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  for (const command of ['encode', 'decode', 'transcribe', 'info', 'eval']) {
    t.match(await acom(folder, command, '--help'), { code: 0, stdout: /Examples:/ }, command);
  }
});

t.test('demo: what a newcomer sees first', async (t) => {
  const folder = t.testdir();
  const { code, stdout } = await acom(folder, 'demo');
  t.equal(code, 0);
  t.match(stdout, /31 of 31 words right; \d+ bytes/);
  const [keywords, utterances] = [true, false].map((isKeyword) =>
    readdirSync(join(folder, 'acom-demo')).filter((name) => name.startsWith('keyword-') === isKeyword),
  ) as [string[], string[]];
  t.equal(utterances.length, 6);
  t.equal(keywords.length, 4);
  t.equal(stdout.match(/^keyword-.*coded .*: \S+ 0\.\d\d$/gm)?.length, 4, 'all four are labelled right');
  const rates = [...stdout.matchAll(/entropy \d+, coded (\d+) bit\/s/g)].map(([, rate]) => Number(rate));
  t.equal(rates.length, 6);
  t.ok(
    rates.every((rate) => rate < 130),
    rates.join(', '),
  );
  const bytes = utterances.reduce((sum, name) => sum + statSync(join(folder, 'acom-demo', name)).size, 0);
  const seconds = readSamples().reduce(
    (sum, { samples, sampleRate }) => sum + samples.length / sampleRate,
    0,
  );
  t.match(stdout, `${bytes} bytes for ${seconds.toFixed(1)} s, ${((8 * bytes) / seconds).toFixed(0)} bit/s`);
});
