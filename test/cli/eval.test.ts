/** acom eval: its numbers, and what it does to files that it is given. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { acom, messages, oneLine, sample } from '../support/cli.js';
import { loadCommands, readSamples, samplesFolder } from '../support/commands.js';
import { shared, skipWithout } from '../support/shared.js';

interface Point {
  readonly k: number;
  readonly rawBitRate: number;
  readonly entropyBitRate: number;
  readonly codedBitRate: number;
}

/** Lines of a manifest of the bundled samples. */
const manifestLines = (): string[] =>
  readSamples().map(({ path, transcript }) =>
    JSON.stringify({ path: join(samplesFolder, path), transcript }),
  );

t.test('eval', async (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, 'manifest.jsonl'), `${manifestLines().join('\n')}\n`);
  const first = await acom(folder, 'eval', 'manifest.jsonl', '--json', '--details', 'details.jsonl');
  t.equal(first.code, 0, first.stderr);
  const result = JSON.parse(first.stdout) as { points: Point[] };
  t.match(result, {
    task: 'recognition',
    metric: 'word error rate',
    model: 'commands',
    recordings: 6,
    seconds: Number,
    continuous: { total: 31, rate: Number, interval: [Number, Number] },
    deviceMacs: Number,
    cloudMacs: Number,
    deviceSpeed: Number,
    cloudSpeed: Number,
  });
  t.same(
    result.points.map(({ k }) => k),
    [1, 2, 3, 4],
  );
  // What streams have unless they are told otherwise
  t.match(result.points[1], {
    count: 0,
    total: 31,
    rate: 0,
    rawBitRate: Number,
    entropyBitRate: Number,
    codedBitRate: Number,
  });
  const seconds = readSamples().reduce(
    (sum, { samples, sampleRate }) => sum + samples.length / sampleRate,
    0,
  );
  for (const { k, codedBitRate } of result.points) {
    t.equal((await acom(folder, 'encode', samplesFolder, '-o', `k${k}`, '-k', String(k))).code, 0);
    const bytes = readSamples().reduce(
      (sum, { path }) => sum + statSync(join(folder, `k${k}`, path.replace('.wav', '.acom'))).size,
      0,
    );
    t.ok(
      Math.abs(codedBitRate - (8 * bytes) / seconds) < 1e-9,
      `${codedBitRate} bit/s are those of the files`,
    );
  }

  // A run that was interrupted in the middle of a line goes on and comes to the same numbers.
  const details = readFileSync(join(folder, 'details.jsonl'), 'utf8');
  writeFileSync(join(folder, 'details.jsonl'), details.slice(0, details.length / 2));
  const second = JSON.parse(
    (await acom(folder, 'eval', 'manifest.jsonl', '--json', '--details', 'details.jsonl')).stdout,
  ) as object;
  t.same({ ...second, deviceSpeed: 0, cloudSpeed: 0 }, { ...result, deviceSpeed: 0, cloudSpeed: 0 });
  t.match(
    (await acom(folder, 'eval', 'manifest.jsonl', '--details', 'details.jsonl')).stdout,
    /k = 2 .* 0 of 31 +0\.00 %/,
  );
  t.match(await acom(folder, 'eval', 'manifest.jsonl', '--details', 'details.jsonl', '--beam', '2'), {
    code: 2,
    stderr: /another model or beam/,
  });

  const wrong: [string, RegExp][] = [
    ['', /no lines/],
    ['{"path": "x.wav"}\n', /entry 1 has no "path" and "transcript"/],
    ['{"path"\n', /line 1 is no JSON/],
    ['{"path": "x.wav", "transcript": "yes"}\n', /x\.wav \(entry 1 of wrong\.jsonl\): there is no such file/],
  ];
  for (const [text, message] of wrong) {
    writeFileSync(join(folder, 'wrong.jsonl'), text);
    const failed = await acom(folder, 'eval', 'wrong.jsonl');
    t.match(failed, { code: 1, stderr: message });
    t.ok(oneLine(failed.stderr), failed.stderr);
  }
});

t.test(
  'eval reads FLAC',
  { skip: skipWithout('testsets/commands-synthetic-voices/manifest.jsonl') },
  async (t) => {
    const folder = t.testdir();
    const manifest = shared('testsets/commands-synthetic-voices/manifest.jsonl');
    const [line] = readFileSync(manifest, 'utf8').split('\n');
    const entry = JSON.parse(line!) as { path: string; transcript: string };
    const path = join(shared('testsets/commands-synthetic-voices'), entry.path);
    writeFileSync(join(folder, 'one.jsonl'), JSON.stringify({ ...entry, path }));
    t.match(JSON.parse((await acom(folder, 'eval', 'one.jsonl', '--json')).stdout), {
      recordings: 1,
      continuous: { total: 3 },
    });
  },
);

t.test('rates and entropies by hand', async (t) => {
  const folder = t.testdir();
  const { fingerprint } = await loadCommands();
  const common = { said: 'yes no', fingerprint, beam: 0, seconds: 2, heardUncut: 'yes no' };
  // First codebook: 0 four times, 1 twice, 2 and 3 once: 1.75 bits. Second: 4 codewords twice each: 2 bits. Others: none.
  const vectors = (...pairs: number[][]) => pairs.flatMap((pair) => [...pair, 0, 0]);
  const right = ['yes no', 'yes no', 'yes no'];
  const details = [
    {
      ...common,
      ...{ path: 'a.wav', deviceMilliseconds: 150, cloudMilliseconds: 20, heard: ['yes', ...right] },
      ...{ bytes: [10, 20, 30, 40], indices: vectors([0, 5], [0, 6], [1, 7], [2, 8]) },
    },
    {
      ...common,
      ...{ path: 'b.wav', deviceMilliseconds: 50, cloudMilliseconds: 30, heard: ['yes no', ...right] },
      ...{ bytes: [30, 50, 70, 90], indices: vectors([0, 5], [0, 6], [1, 7], [3, 8]) },
    },
  ];
  const write = (name: string, lines: readonly object[]) =>
    writeFileSync(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  write('details.jsonl', details);
  write(
    'manifest.jsonl',
    details.map(({ path, said }) => ({ path, transcript: said })),
  );
  const { stdout, stderr } = await acom(
    folder,
    ...['eval', 'manifest.jsonl', '--details', 'details.jsonl', '--json'],
  );
  t.equal(stderr, '');
  t.match(JSON.parse(stdout), {
    recordings: 2,
    seconds: 4,
    continuous: { rate: 0, count: 0, total: 4 },
    points: [
      { k: 1, rate: 0.25, count: 1, total: 4, rawBitRate: 16, entropyBitRate: 14 / 4, codedBitRate: 80 },
      { k: 2, rate: 0, count: 0, total: 4, rawBitRate: 32, entropyBitRate: (14 + 16) / 4, codedBitRate: 140 },
      { k: 3, rawBitRate: 48, entropyBitRate: (14 + 16) / 4, codedBitRate: 200 },
      { k: 4, rawBitRate: 64, entropyBitRate: (14 + 16) / 4, codedBitRate: 260 },
    ],
    deviceSpeed: 20,
    cloudSpeed: 80,
  });
});

t.test('--details leaves files alone that are none of its own', async (t) => {
  const folder = t.testdir();
  const manifest = `${manifestLines()[0]}\n`;
  writeFileSync(join(folder, 'manifest.jsonl'), manifest);
  writeFileSync(join(folder, 'other.jsonl'), `${manifestLines()[1]}\n`);
  t.equal((await acom(folder, 'eval', 'manifest.jsonl', '--details', 'details.jsonl')).code, 0);
  const details = readFileSync(join(folder, 'details.jsonl'), 'utf8');
  const line = JSON.parse(details) as { indices: number[] };
  const files: Record<string, string | Buffer> = {
    'recording.wav': readFileSync(sample('turns')),
    'one-line': 'no newline, so nothing of it is a complete line',
    'notes.txt': 'caf\u00e9\nand more',
    'latin-1.txt': Buffer.from('{"caf\xe9": 1}\n', 'latin1'),
    'empty-line': '\n',
    'manifest-copy.jsonl': manifest,
    'partly.jsonl': `${details}{"path": "a.wav"}\nand more`,
    'damaged.jsonl': `${JSON.stringify({ ...line, indices: [...line.indices, 256, 0, 0, 0] })}\n`,
    'shorter.jsonl': `${JSON.stringify({ ...line, heard: ['yes'] })}\n`,
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content);
    const before = readFileSync(join(folder, name));
    const { code, stderr } = await acom(folder, 'eval', 'manifest.jsonl', '--details', name);
    t.ok(code === 1 || code === 2, `${name}: ${code}`);
    t.match(stderr, new RegExp(`^acom: ${name}: .*--details\n$`));
    t.ok(before.equals(readFileSync(join(folder, name))), `${name} is as it was`);
  }
  const other = await acom(folder, 'eval', 'other.jsonl', '--details', 'details.jsonl');
  t.match(other, { code: 2, stderr: /details\.jsonl: this holds no line about a recording of the manifest/ });
  t.match(await acom(folder, 'eval', 'manifest.jsonl', '--details', '.'), {
    code: 2,
    stderr: /\.: .*wants a file/,
  });
  t.equal(readFileSync(join(folder, 'details.jsonl'), 'utf8'), details);

  // A line that was cut inside of a character: what is before it stays, to the byte.
  writeFileSync(
    join(folder, 'details.jsonl'),
    Buffer.concat([Buffer.from(details), Buffer.from('{"path": "caf\xc3', 'latin1')]),
  );
  t.equal((await acom(folder, 'eval', 'manifest.jsonl', '--details', 'details.jsonl')).code, 0);
  t.equal(readFileSync(join(folder, 'details.jsonl'), 'utf8'), details);
  t.match(await acom(folder, 'eval', '.'), { code: 1, stderr: /\.: this is a folder/ });
});

t.test('an entry that fails is named, and the others are not passed off as all', async (t) => {
  const folder = t.testdir();
  writeFileSync(join(folder, 'broken.wav'), readFileSync(sample('turns')).subarray(0, 30));
  const broken = JSON.stringify({ path: 'broken.wav', transcript: 'go left' });
  writeFileSync(join(folder, 'manifest.jsonl'), `${manifestLines()[0]}\n${broken}\n`);
  const failed = await acom(folder, 'eval', 'manifest.jsonl');
  t.match(failed, { code: 1, stdout: /^$/ });
  t.match(messages(failed.stderr), [/^acom: broken\.wav \(entry 2 of manifest\.jsonl\): WAV: .*fmt/]);
  t.notMatch(failed.stderr, /\n\s+at /);
});
