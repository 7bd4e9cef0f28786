/** FLAC against SHA-1 sums of the decoded samples that came with the recordings. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { readFlac, readRecording, writeWav } from '../../src/audio/index.js';
import { constantFlac } from '../support/flac.js';
import { repository, shared, skipWithout } from '../support/shared.js';

interface Entry {
  readonly path: string;
  readonly [key: string]: unknown;
}

for (const set of ['fsdd-8k', 'kws-sc-16k', 'librispeech-16k']) {
  const manifest = `data/${set}/manifest.jsonl`;
  t.test(`samples of ${set}`, { skip: skipWithout(manifest) }, async (t) => {
    const path = shared(manifest);
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    // Some two percent of the keywords have the header of a frame among the samples of their last one.
    const chosen = lines.filter((_, i) => i % Math.ceil(lines.length / 100) === 0);
    for (const line of chosen) {
      const entry = JSON.parse(line) as Entry;
      const sum = Object.entries(entry).find(([key]) => /sha1/i.test(key))?.[1];
      const { samples } = await readRecording(readFileSync(join(dirname(path), entry.path)));
      const pcm = Int16Array.from(samples, (x) => Math.round(x * 32768));
      const found = createHash('sha1').update(new Uint8Array(pcm.buffer)).digest('hex');
      t.equal(found.slice(0, String(sum).length), sum, entry.path);
    }
  });
}

t.test('samples in the last frame that look like the header of a frame', async (t) => {
  // -8 is 0xfff8, which is what headers begin with.
  const blocks = [new Array<number>(8).fill(100), [-8, -8, -8, -8, -8, -8, -8, -8]];
  const settings = { sampleRate: 16_000, channels: 8, promised: 2 * 512, blockSamples: 512, blocks };
  const { samples, missingSamples } = await readFlac(constantFlac(settings));
  t.equal(missingSamples, 0);
  t.same([samples.length, samples[511]! * 32768, samples[1023]! * 32768], [1024, 100, -8]);
});

t.test('frames of silence, which are as short as the header of others', async (t) => {
  for (const [blockSamples, blocks] of [
    [400, [[100]]],
    [4096, [[0]]],
    [4096, [[0], [0], [0]]],
    [400, [[1], [2]]],
  ] as const) {
    const promised = blockSamples * blocks.length;
    const settings = { sampleRate: 8000, channels: 1, blockSamples, blocks };
    for (const said of [promised, 0]) {
      const { samples, missingSamples } = await readFlac(constantFlac({ ...settings, promised: said }));
      t.same([samples.length, missingSamples], [promised, 0]);
    }
  }
});

t.test('what is no FLAC file, and what is no audio', async (t) => {
  const magic = [...'fLaC'].map((c) => c.charCodeAt(0));
  await t.rejects(readFlac(Uint8Array.from(magic)), { name: 'FormatError' });
  await t.rejects(readFlac(Uint8Array.from([...magic, ...new Array(100).fill(0)])), { name: 'FormatError' });
  await t.rejects(readFlac(Uint8Array.from([...magic, ...new Array(100).fill(255)])), {
    name: 'FormatError',
  });
  // 8,000 samples a second, 2^36 - 1 of them
  const endless = Uint8Array.from([
    ...magic,
    ...new Array(14).fill(0),
    0x01,
    0xf4,
    0x00,
    ...new Array(60).fill(255),
  ]);
  await t.rejects(readFlac(endless), { name: 'AudioError', message: /hours; at most 24/ });
  await t.rejects(readRecording(new TextEncoder().encode('ID3 an mp3 file')), {
    message: /no WAV, FLAC, .*MP3.*ffmpeg/,
  });
  await t.rejects(readRecording(new Uint8Array(0)), { message: /empty/ });
  const wav = writeWav(Float32Array.from([0.5]), { sampleRate: 8000 });
  t.equal((await readRecording(wav)).samples[0], 0.5);
});

t.test('channels are mixed block by block', async (t) => {
  const settings = { sampleRate: 8000, channels: 2, promised: 0, blockSamples: 1000 };
  const blocks = Array.from({ length: 200 }, (_, i) => [100 * i, -50 * i]);
  const flac = constantFlac({ ...settings, blocks });
  const { samples, sampleRate, channels, missingSamples } = await readFlac(flac);
  t.same({ sampleRate, channels, missingSamples }, { sampleRate: 8000, channels: 2, missingSamples: 0 });
  t.equal(samples.length, 200_000);
  t.ok(samples.every((x, i) => x === (25 * Math.floor(i / 1000)) / 32768));
  t.equal((await readFlac(flac.slice().buffer)).samples.length, 200_000, 'from an ArrayBuffer');
  const promising = constantFlac({ ...settings, blocks, promised: 200_010 });
  t.equal((await readFlac(promising)).missingSamples, 10);
  const empty = await readFlac(constantFlac({ ...settings, blocks: [] }));
  t.match(empty, { samples: { length: 0 }, sampleRate: 8000, channels: 2 });
  await t.rejects(readFlac(constantFlac({ ...settings, blocks, lastRate: 16000 })), {
    name: 'FormatError',
    message: /after 199000 samples, the rate changes from 8000 to 16000/,
  });
});

t.test('small files that stand for more than is read', async (t) => {
  // 24 hours at 10 samples a second are 864,000.
  const slow = { sampleRate: 10, channels: 1, blockSamples: 60_000, promised: 0 };
  const day = Array.from({ length: 14 }, () => [1]);
  t.equal((await readFlac(constantFlac({ ...slow, blocks: day }))).samples.length, 840_000);
  const longer = constantFlac({ ...slow, blocks: Array.from({ length: 200 }, () => [1]) });
  await t.rejects(readFlac(longer), { name: 'AudioError', message: /more than 24 hours/ });
  const lying = constantFlac({ ...slow, blocks: day, promised: 839_999 });
  await t.rejects(readFlac(lying), { name: 'FormatError', message: /promises 839999 samples/ });
});

t.test('memory is that of one channel and a few blocks', async (t) => {
  // 9 KB for 420 MB of samples, of which 52 MB are left after mixing
  const block = { sampleRate: 44100, channels: 8, blockSamples: 65_535, promised: 0 };
  const blocks = Array.from({ length: 200 }, () => [8, 0, 0, 0, 0, 0, 0, 0]);
  const folder = t.testdir();
  const file = join(folder, 'large.flac');
  writeFileSync(file, constantFlac({ ...block, blocks }));
  t.ok(readFileSync(file).length < 9_500);
  const script = `
    import { readFileSync } from 'node:fs';
    import { readFlac } from ${JSON.stringify(join(repository, 'dist/src/audio/index.js'))};
    const { samples } = await readFlac(readFileSync(${JSON.stringify(file)}));
    console.log(JSON.stringify([samples.length, samples[0] * 32768, process.resourceUsage().maxRSS / 1024]));`;
  const { stdout } = await promisify(execFile)('node', ['--input-type=module', '-e', script]);
  const [length, first, megabytes] = JSON.parse(stdout) as [number, number, number];
  t.same([length, first], [200 * 65_535, 1]);
  t.ok(megabytes < 450, `${megabytes.toFixed(0)} MB`);
});
