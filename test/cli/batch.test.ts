/** Many files into a folder: several at a time, done again where they changed, and some of them broken. */
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { doneOf, filesOf, LOG, wrongIn } from '../support/batch.js';
import { acom, messages, oneLine, sample } from '../support/cli.js';
import { loadCommands, modelFile, readSamples } from '../support/commands.js';
import { repository } from '../support/shared.js';

const model = await loadCommands();
const encoder = await model.deviceEncoder();
const decoder = await model.cloudDecoder();
const fixture = (name: string): string => join(repository, 'test/fixtures/audio', name);

t.test('several formats at one and at two files a time; again, only what has changed', async (t) => {
  const folder = t.testdir({ rec: { deep: { deeper: {} } } });
  copyFileSync(sample('digits'), join(folder, 'rec/plain.wav'));
  copyFileSync(sample('turns'), join(folder, 'rec/deep/turns.wav'));
  copyFileSync(fixture('digits.mp3'), join(folder, 'rec/deep/d.mp3'));
  copyFileSync(fixture('digits.ogg'), join(folder, 'rec/deep/deeper/d.ogg'));
  copyFileSync(fixture('digits.opus'), join(folder, 'rec/deep/deeper/o.opus'));
  const encode = (...args: string[]) => acom(folder, 'encode', 'rec', '-o', 'out', '--json', ...args);
  const paths = ['rec/deep/d.mp3', 'rec/deep/deeper/d.ogg', 'rec/deep/deeper/o.opus', 'rec/deep/turns.wav'];
  const all = [...paths, 'rec/plain.wav'];

  const first = await encode();
  t.equal(first.code, 0, first.stderr);
  t.match(first.stderr, /^encode: 5 files: 5 done$/m);
  t.same(doneOf(first.stdout).sort(), all);
  t.same(await wrongIn(folder), []);

  const two = await acom(folder, 'encode', 'rec', '-o', 'two', '--jobs', '2');
  t.equal(two.code, 0, two.stderr);
  for (const path of filesOf(join(folder, 'out'), '.acom')) {
    t.same(readFileSync(join(folder, 'two', path)), readFileSync(join(folder, 'out', path)), path);
  }
  t.equal(filesOf(join(folder, 'two'), '.acom').length, 5);

  const times = () =>
    filesOf(join(folder, 'out'), '.acom').map((path) => statSync(join(folder, 'out', path)).mtimeMs);
  const before = times();
  const again = await encode('-j', 'auto');
  t.match(again, { code: 0, stderr: /^encode: 5 files: 0 done, 5 as they were$/m });
  t.same(doneOf(again.stdout), []);
  t.same(times(), before, 'nothing was written');
  const withoutSkipped = (stdout: string) =>
    stdout
      .replace(/"skipped":\w+/g, '')
      .split('\n')
      .sort();
  t.same(withoutSkipped(again.stdout), withoutSkipped(first.stdout), 'and the same is said of each');

  // Another recording of the same length and name, one that was only touched, an output that somebody changed, one that is gone.
  const turns = readFileSync(join(folder, 'rec/deep/turns.wav'));
  turns.fill(0, 1000, 30_000);
  writeFileSync(join(folder, 'rec/deep/turns.wav'), turns);
  utimesSync(join(folder, 'rec/plain.wav'), 1_000_000_000, 1_000_000_000);
  writeFileSync(join(folder, 'out/deep/d.acom'), 'x');
  const changed = await encode('-j', '2');
  t.match(changed, { code: 0, stderr: /^encode: 5 files: 3 done, 2 as they were$/m });
  t.same(doneOf(changed.stdout).sort(), ['rec/deep/d.mp3', 'rec/deep/turns.wav', 'rec/plain.wav']);
  t.same(await wrongIn(folder), []);

  t.match(await encode('-k', '1'), { code: 0, stderr: /: 5 done$/m }, 'other options');
  t.same(await wrongIn(folder, 1), []);
  t.match(await encode('-k', '1', '--force'), { code: 0, stderr: /: 5 done$/m });
  t.match(await encode('-k', '1', '--coding', 'packed'), { code: 0, stderr: /: 5 done$/m });
  const log = readFileSync(join(folder, 'out', LOG), 'utf8')
    .trim()
    .split('\n');
  t.ok(log.length <= 10, `${log.length} lines: those that count no more go`);

  // What the log holds besides costs nothing but work.
  const whole = readFileSync(join(folder, 'out', LOG), 'utf8');
  writeFileSync(join(folder, 'out', LOG), `[1]\nnull\n${whole.slice(0, -20)}`);
  const torn = await encode('-k', '1', '--coding', 'packed');
  t.match(torn, { code: 0, stderr: /: 1 done, 4 as they were$/m }, 'a line cut short');
});

t.test('a broken file among good ones', async (t) => {
  const folder = t.testdir({ rec: { 'broken.wav': 'no sound', 'empty.mp3': '' } });
  for (const { path } of readSamples()) copyFileSync(sample(path.slice(0, -4)), join(folder, 'rec', path));
  for (const jobs of ['1', '2']) {
    const result = await acom(folder, 'encode', 'rec', 'nothing', '-o', 'out', '--force', '-j', jobs);
    t.equal(result.code, 1);
    t.equal(result.stdout.trim().split('\n').length, readSamples().length);
    const said = messages(result.stderr);
    t.equal(said.length, 3, result.stderr);
    t.match(said[0], /^acom: nothing: there is no such file/);
    t.match(said.slice(1).sort(), [
      /^acom: rec\/broken\.wav: .*no WAV, FLAC, .*ffmpeg/,
      /^acom: rec\/empty\.mp3: .*empty/,
    ]);
    t.match(result.stderr, /encode: 8 files: 6 done, 2 failed\n$/, 'at the end');
    t.notMatch(result.stderr, /\n\s+at /);
    t.same(
      await wrongIn(folder),
      ['broken.wav', 'empty.mp3'].filter((name) => !name.endsWith('x')),
    );
    t.notOk(existsSync(join(folder, 'out/broken.acom')));
  }
});

t.test('what can not be: two outputs that are one, nothing to do, options that fit nothing', async (t) => {
  const folder = t.testdir({ rec: {}, empty: { 'notes.txt': 'x' } });
  copyFileSync(sample('digits'), join(folder, 'rec/a.wav'));
  copyFileSync(fixture('digits.ogg'), join(folder, 'rec/a.ogg'));
  copyFileSync(sample('turns'), join(folder, 'b.wav'));
  writeFileSync(join(folder, 'bad.safetensors'), readFileSync(modelFile).fill(1, 400_000, 400_100));
  const refused: [string[], number, RegExp][] = [
    [
      ['encode', 'rec', '-o', 'out', '-j', '2'],
      2,
      /rec\/a\.\w+ and rec\/a\.\w+ would both .*out\/a\.acom: rename/,
    ],
    [['encode', 'empty', '-o', 'out', '-j', '2'], 1, /empty: there are no .*files in this folder/],
    [['decode', 'empty', '-o', 'out', '-j', '2'], 1, /empty: there are no \.acom files/],
    [['encode', 'rec/a.wav', 'b.wav', '-j', '2'], 2, /--jobs is for several files.*-o/],
    [['encode', 'b.wav', '-o', 'out.acom', '-j', '2'], 2, /--jobs is for several files/],
    [['encode', 'b.wav', '-o', 'out.acom', '--force'], 2, /--force is for several files/],
    [
      ['encode', 'rec/a.wav', 'b.wav', '-o', 'out', '-j', '2', '--backend', 'gpu'],
      2,
      /one GPU does one file/,
    ],
    [['encode', 'rec/a.wav', 'b.wav', '-o', 'out', '-j', '2', '-k', '9'], 2, /codebooks is 9/],
    [['encode', 'rec/a.wav', 'b.wav', '-o', 'out', '-j', '2', '--coding', 'zip'], 2, /coding is zip/],
    [['encode', 'rec/a.wav', 'b.wav', '-o', 'out', '-m', 'none'], 1, /^acom: none: there is no such file/],
    [
      ['encode', 'rec/a.wav', 'b.wav', '-o', 'out', '-j', '2', '-m', 'bad.safetensors'],
      1,
      /bad.*damaged or changed/,
    ],
    [['encode', 'rec/a.wav', 'b.wav', '-o', 'out', '-m', 'bad.safetensors'], 1, /bad.*damaged or changed/],
    [['encode', 'rec/a.wav', 'b.wav', '-o', 'b.wav', '-j', '2'], 2, /b\.wav: a file stands where the folder/],
  ];
  for (const [args, code, message] of refused) {
    const { code: found, stderr } = await acom(folder, ...args);
    t.equal(found, code, args.join(' '));
    t.match(stderr, message);
    t.ok(oneLine(stderr), stderr);
  }
  for (const wrong of ['-1', 'many', '2.5', '257', '1e9']) {
    t.match(await acom(folder, 'encode', 'rec', '-o', 'out', '--jobs', wrong), {
      code: 2,
      stderr: /up to 256, or 0/,
    });
  }
  t.notOk(existsSync(join(folder, 'out')), 'nothing was made');
});

t.test('outputs inside the folder of the inputs', async (t) => {
  const folder = t.testdir({ rec: {} });
  copyFileSync(sample('digits'), join(folder, 'rec/a.wav'));
  for (const [done, kept] of [
    [1, 0],
    [0, 1],
  ]) {
    const { code, stderr } = await acom(folder, 'encode', 'rec', '-o', 'rec/out', '-j', '2');
    t.equal(code, 0, stderr);
    t.match(stderr, new RegExp(`1 file: ${done} done${kept === 0 ? '' : `, ${kept} as they were`}$`, 'm'));
    t.equal((await acom(folder, 'decode', 'rec', '-o', 'rec/out', '-j', '2')).code, 0);
    t.same(readdirSync(join(folder, 'rec/out'), { recursive: true }).sort(), [
      LOG,
      'a.acom',
      'out',
      'out/a.txt',
    ]);
  }
  t.equal(readFileSync(join(folder, 'rec/out/out/a.txt'), 'utf8'), 'seven three one nine five\n');
});

t.test('decode into a folder: words, everything as JSON, damage', async (t) => {
  const folder = t.testdir({ streams: { deep: {} } });
  for (const { path, samples, sampleRate } of readSamples()) {
    writeFileSync(
      join(folder, 'streams/deep', path.replace('.wav', '.acom')),
      encoder.encode(samples, sampleRate, { packetSeconds: 1 }),
    );
  }
  const texts = await acom(folder, 'decode', 'streams', '-o', 'words', '-j', '2');
  t.equal(texts.code, 0, texts.stderr);
  for (const { path, transcript } of readSamples()) {
    const text = readFileSync(join(folder, 'words/deep', path.replace('.wav', '.txt')), 'utf8');
    t.equal(
      text,
      `${decoder.decode(readFileSync(join(folder, 'streams/deep', path.replace('.wav', '.acom')))).text}\n`,
    );
    t.equal(text, `${transcript}\n`);
  }
  const damaged = join(folder, 'streams/deep/digits.acom');
  const bytes = readFileSync(damaged);
  bytes[bytes.length - 3]! ^= 1;
  writeFileSync(damaged, bytes);
  writeFileSync(join(folder, 'streams/none.acom'), 'nothing');
  for (const when of ['at first', 'again']) {
    const result = await acom(folder, 'decode', 'streams', '-o', 'words', '--json', '-j', '2');
    t.equal(result.code, 1, result.stderr);
    t.match(result.stderr, /digits\.acom: warning: 1 of 6 packets are damaged/, when);
    t.match(result.stderr, /acom: streams\/none\.acom: .*no \.acom stream/);
  }
  const alone = await acom(folder, 'decode', 'streams/deep', '--json');
  t.equal(alone.code, 3);
  const written = filesOf(join(folder, 'words'), '.json').map((path) =>
    readFileSync(join(folder, 'words', path), 'utf8'),
  );
  t.equal(written.join(''), alone.stdout);
  for (const when of ['at first', 'again']) {
    t.equal(
      (await acom(folder, 'decode', 'streams/deep', '-o', 'other', '-k', '1')).code,
      3,
      `damaged, ${when}`,
    );
  }
  t.equal((await acom(folder, 'decode', damaged, '-o', 'one.txt')).code, 3);
  t.match(readFileSync(join(folder, 'one.txt'), 'utf8'), /^seven three one/);
});
