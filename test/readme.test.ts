/** The README's example runs and does what it says; its commands exist; its framing is what a stream has. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { readStream } from '../src/bitstream/index.js';
import { loadCommands, readSamples } from './support/commands.js';
import { repository } from './support/shared.js';

const readme = readFileSync(join(repository, 'README.md'), 'utf8');

t.test('the example in JavaScript', async (t) => {
  const blocks = [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code]) => code!);
  t.equal(blocks.length, 1);
  // Inside the repository, so that `acom` is this package.
  const script = join(t.testdir(), 'example.js');
  writeFileSync(script, blocks[0]!);
  const { stdout, stderr } = await promisify(execFile)('node', [script], { cwd: repository });
  t.equal(stderr, '');
  const lines = stdout.trim().split('\n');
  t.match(lines[0], /^\d+ bytes$/);
  t.equal(lines[1], 'yes two four no eight');
  t.equal(lines.length, 7);
});

t.test('header and framing take the bytes that are said', async (t) => {
  const sentence = readme.replace(/\s+/g, ' ').match(/with one codebook (.*?); with two codebooks (.*?)\. /)!;
  const said = [1, 2].flatMap((codebooks) =>
    [...sentence[codebooks]!.matchAll(/(\d+)(?: bytes)? for (\d+) s/g)].map(([, bytes, seconds]) => ({
      codebooks,
      bytes: Number(bytes),
      seconds: Number(seconds),
    })),
  );
  t.equal(said.length, 6);
  t.match(readme.replace(/\s+/g, ' '), /10 bytes for recordings under 4 s and 11 up to 20 s\./);
  for (const [bytes, seconds] of [
    [10, 1],
    [10, 4],
    [11, 5],
    [11, 20],
  ] as const) {
    said.push({ codebooks: 1, bytes, seconds });
  }
  const encoder = await (await loadCommands()).deviceEncoder();
  const speech = readSamples().flatMap(({ samples, sampleRate }) =>
    sampleRate === 8000 ? [...samples] : [],
  );
  const sound = Float32Array.from({ length: 60 * 8000 }, (_, n) => speech[n % speech.length]!);
  for (const { codebooks, bytes, seconds } of said) {
    const stream = encoder.encode(sound.subarray(0, seconds * 8000), 8000, { codebooks });
    const framing =
      stream.length - readStream(stream).packets.reduce((sum, packet) => sum + packet!.run.length, 0);
    t.equal(framing, bytes, `${seconds} s, ${codebooks} codebooks`);
  }
});

t.test('the scripts that are named', async (t) => {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const texts = ['README.md', 'weights/README.md', 'kernels/README.md'].map((file) =>
    readFileSync(join(repository, file), 'utf8'),
  );
  const named = texts.flatMap((text) =>
    [...text.matchAll(/npm (?:run )?(start|test|[a-z]+(?::[a-z0-9]+)?)/g)].map(([, name]) => name!),
  );
  t.ok(named.length > 5);
  // What npm does by itself
  const own = ['ci', 'install', 'run'];
  for (const name of new Set(named)) if (!own.includes(name)) t.ok(scripts[name], name);
});

t.test('files that are linked', async (t) => {
  for (const file of ['README.md', 'weights/README.md', 'kernels/README.md']) {
    const folder = join(repository, file, '..');
    for (const [, link] of readFileSync(join(repository, file), 'utf8').matchAll(
      /\]\((?!https?:)([^)#]+)\)/g,
    )) {
      t.ok(existsSync(join(folder, link!)), `${file}: ${link}`);
    }
  }
});
