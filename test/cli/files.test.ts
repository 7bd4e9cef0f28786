/** What commands read and write: links, pipes, devices, what is not there, and messages that name it. */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readWav } from '../../src/index.js';
import { acom, messages, oneLine, sample, shell } from '../support/cli.js';
import { loadCommands, modelFile } from '../support/commands.js';

const digits = readFileSync(sample('digits'));
/** Bytes of the stream that digits.wav comes to. */
const STREAM_BYTES = await (async () => {
  const { samples, sampleRate } = readWav(digits);
  return (await (await loadCommands()).deviceEncoder()).encode(samples, sampleRate).length;
})();

t.test('outputs never replace inputs', async (t) => {
  const folder = t.testdir({ 'd.wav': digits });
  const model = readFileSync(modelFile);
  writeFileSync(join(folder, 'm'), model);
  symlinkSync('m', join(folder, 'link'));
  symlinkSync('nothing-yet', join(folder, 'dangling'));
  linkSync(join(folder, 'm'), join(folder, 'hard'));
  mkdirSync(join(folder, 'sub'));
  symlinkSync('..', join(folder, 'sub/up'));
  const pack = ['--licence', 'MIT', '--trained-on', 'nothing'];
  const refused: [string[], RegExp][] = [
    [['model', 'split', 'm', '--device', 'm', '--cloud', 'c'], /^acom: m is an input/],
    [['model', 'split', 'm', '--device', 'd', '--cloud', 'link'], /link is an input/],
    [['model', 'split', 'm', '--device', 'hard', '--cloud', 'c'], /hard is an input/],
    [['model', 'split', 'link', '--device', 'sub/up/m', '--cloud', 'c'], /sub\/up\/m is an input/],
    [['model', 'split', 'm', '--device', 'same', '--cloud', './sub/../same'], /would both be written to/],
    [['model', 'split', 'm', '--device', 'nothing-yet', '--cloud', 'dangling'], /would both be written to/],
    [['model', 'split', 'm', '--device', '-', '--cloud', '-'], /one pipe/],
    [['model', 'pack', 'm', '-o', 'm', ...pack], /m is an input/],
    [['encode', 'd.wav', '-m', 'm', '-o', 'link'], /link is an input/],
    [['encode', 'd.wav', '-o', 'sub/up/d.wav'], /is an input/],
  ];
  for (const [args, message] of refused) {
    const result = await acom(folder, ...args);
    t.match(result, { code: 2, stderr: message }, args.join(' '));
    t.ok(oneLine(result.stderr), result.stderr);
  }
  t.ok(model.equals(readFileSync(join(folder, 'm'))));
  t.ok(digits.equals(readFileSync(join(folder, 'd.wav'))));
  t.same(readdirSync(folder).sort(), ['d.wav', 'dangling', 'hard', 'link', 'm', 'sub']);
});

t.test('links stay links, and pipes are written to', async (t) => {
  const folder = t.testdir({ 'd.wav': digits, streams: {} });
  symlinkSync('streams/real.acom', join(folder, 'link.acom'));
  for (const round of ['to what is not there yet', 'to a file']) {
    t.equal((await acom(folder, 'encode', 'd.wav', '-o', 'link.acom')).code, 0);
    t.equal(readlinkSync(join(folder, 'link.acom')), 'streams/real.acom', round);
    t.equal(readFileSync(join(folder, 'streams/real.acom')).length, STREAM_BYTES);
    t.same(readdirSync(join(folder, 'streams')), ['real.acom'], 'no unfinished files');
  }
  symlinkSync('circle', join(folder, 'circle'));
  t.match(await acom(folder, 'encode', 'd.wav', '-o', 'circle'), { code: 1, stderr: /circle: too many/ });

  execFileSync('mkfifo', [join(folder, 'fifo')]);
  symlinkSync('fifo', join(folder, 'to-fifo'));
  for (const name of ['fifo', 'to-fifo']) {
    // timeout: where the pipe is replaced, nobody ever writes to it
    const read = await shell(folder, `timeout 20 cat fifo >got & acom encode d.wav -o ${name}; wait $!`);
    t.equal(read.code, 0, read.stderr);
    t.equal(readFileSync(join(folder, 'got')).length, STREAM_BYTES);
    t.ok(lstatSync(join(folder, 'fifo')).isFIFO(), `${name} is still a pipe`);
    t.ok(lstatSync(join(folder, 'to-fifo')).isSymbolicLink());
  }
  // /dev/fd/1 and not /dev/stdout: should this fail one day, no test may have replaced a device.
  const standard = await shell(folder, 'acom encode d.wav -o /dev/fd/1 | wc -c');
  t.match(standard, { code: 0, stdout: new RegExp(`^${STREAM_BYTES}\\n$`) });
  const cloud = await shell(folder, 'acom model split --device device --cloud - >cloud');
  t.match(cloud, { code: 0, stderr: /device: .* bytes/ });
  t.match((await acom(folder, 'info', 'cloud')).stdout, /codec model +commands \(cloud\)/);
});

t.test('inputs that are pipes under a name', async (t) => {
  const folder = t.testdir({ 'd.wav': digits });
  for (const line of [
    'acom encode <(cat d.wav) | wc -c',
    'cat d.wav | acom encode /dev/stdin | wc -c',
    'acom encode /dev/fd/0 <d.wav | wc -c',
  ]) {
    t.match(await shell(folder, line), { code: 0, stdout: new RegExp(`^${STREAM_BYTES}\\n$`) }, line);
  }
  t.match(await shell(folder, 'acom info <(cat d.wav)'), { code: 0, stdout: /duration +5\.42 s/ });
  t.match(await shell(folder, 'acom encode <(cat d.wav) <(cat d.wav)'), { code: 2, stderr: /one pipe/ });
  t.equal((await shell(folder, 'acom encode <(cat d.wav) <(cat d.wav) -o out')).code, 0);
  t.equal(readdirSync(join(folder, 'out')).length, 2);
});

t.test(
  'standard output that takes nothing',
  { skip: !existsSync('/dev/full') && 'no /dev/full' },
  async (t) => {
    const folder = t.testdir({ 'd.wav': digits });
    await acom(folder, 'encode', 'd.wav', '-o', 'd.acom');
    // The shell opens the device; no command knows its name.
    for (const command of ['decode d.acom', 'info d.acom', 'encode d.wav -o -', '--help']) {
      const { code, stderr } = await shell(folder, `acom ${command} >/dev/full`);
      t.equal(code, 1, command);
      t.same(messages(stderr), ['acom: standard output: the disk is full']);
      t.notMatch(stderr, /\n\s+at /);
    }
    const deaf = await shell(folder, 'acom decode d.acom nothing.acom 2>/dev/full');
    t.match(deaf, { code: 1, stdout: /seven/ }, 'nowhere to complain');
  },
);

t.test('one that is not there does not keep the others from being done', async (t) => {
  const folder = t.testdir({ 'd.wav': digits, empty: {} });
  const mixed = await acom(folder, 'encode', 'none.wav', 'd.wav', 'empty', '*.mp3', '-o', 'out');
  t.match(mixed, { code: 1, stdout: /^d\.wav -> out\/d\.acom/ });
  t.same(messages(mixed.stderr), [
    'acom: none.wav: there is no such file or folder',
    'acom: empty: there are no .wav, .flac, .ogg, .oga, .opus, .mp3 files in this folder',
    'acom: *.mp3: no file matches this pattern',
  ]);
  for (const command of ['decode', 'info', 'transcribe']) {
    const input = command === 'transcribe' ? 'd.wav' : 'out/d.acom';
    const result = await acom(folder, command, 'none', input);
    t.match(result, { code: 1, stdout: /out\/d\.acom|d\.wav: seven/, stderr: /none: there is no such file/ });
  }
});

t.test('outputs of a folder or a pattern go to a folder, however many', async (t) => {
  const folder = t.testdir({ rec: { 'a.wav': digits } });
  t.equal((await acom(folder, 'encode', 'rec', '-o', 'streams')).code, 0);
  t.equal((await acom(folder, 'encode', 'rec/*.wav', '-o', 'matched')).code, 0);
  t.equal((await acom(folder, 'encode', 'rec/a.wav', 'none.wav', '-o', 'named')).code, 1);
  for (const name of ['streams', 'matched', 'named'])
    t.same(readdirSync(join(folder, name)), ['.acom-batch.jsonl', 'a.acom'], name);
  t.equal((await acom(folder, 'encode', 'rec/a.wav', '-o', 'one')).code, 0);
  t.ok(lstatSync(join(folder, 'one')).isFile());
});

t.test('info takes folders and patterns', async (t) => {
  const folder = t.testdir({ in: { 'd.wav': digits, 'notes.txt': 'no recording' }, empty: {} });
  await acom(folder, 'encode', 'in', '-o', 'in');
  const infos = async (...names: string[]) =>
    (await acom(folder, 'info', '--json', ...names)).stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { file: string }).file);
  t.same(await infos('in'), ['in/d.acom', 'in/d.wav']);
  t.same(await infos('in/*.w*', 'in/d.acom'), ['in/d.wav', 'in/d.acom']);
  t.match(await acom(folder, 'info', 'empty'), { code: 1, stderr: /^acom: empty: there are no \.acom/ });
});

t.test('messages name the file and the reason', async (t) => {
  const folder = t.testdir({ 'd.wav': digits, s: digits, file: 'x', dir: {} });
  await acom(folder, 'encode', 'd.wav');
  const long = `${'x'.repeat(300)}.acom`;
  const failing: [string[], RegExp][] = [
    [['decode', 'd.acom', '-m', 'd.wav'], /^acom: d\.wav: safetensors: /],
    [['decode', 'd.acom', '-m', 's'], /^acom: s: safetensors: /],
    [['eval', 'manifest.jsonl', '-m', 'd.wav'], /^acom: manifest\.jsonl: there is no such file/],
    [['decode', 'd.acom', '-m', 'dir'], /^acom: dir: this is no file/],
    [['encode', 'd.wav', '-o', 'file/y.acom'], /file: a file stands where a folder is needed/],
    [['encode', 'd.wav', '-o', 'file/z/y.acom'], /file\/z: a part of this path is no folder/],
    [['encode', 'd.wav', '-o', long], /x\.acom: this name is too long/],
    [['encode', long.replace('.acom', '.wav')], /x\.wav: this name is too long/],
    [['model', 'split', '--device', 'dir', '--cloud', 'c'], /dir: this is a folder/],
    [['model', 'pack', 'd.wav', '-o', 'x', '--licence', 'a', '--trained-on', 'b'], /^acom: d\.wav: /],
  ];
  for (const [args, message] of failing) {
    const result = await acom(folder, ...args);
    t.match(result, { code: 1, stderr: message }, args.join(' '));
    t.ok(oneLine(result.stderr) && !/internal/.test(result.stderr), result.stderr);
  }
});
