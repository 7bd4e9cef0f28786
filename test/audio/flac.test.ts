/** FLAC against SHA-1 sums of the decoded samples that came with the recordings. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { readFlac, readRecording, writeWav } from '../../src/audio/index.js';
import { shared, skipWithout } from '../support/shared.js';

interface Entry {
  readonly path: string;
  readonly [key: string]: unknown;
}

for (const set of ['fsdd-8k', 'kws-sc-16k', 'librispeech-16k']) {
  const manifest = `data/${set}/manifest.jsonl`;
  t.test(`samples of ${set}`, { skip: skipWithout(manifest) }, async (t) => {
    const path = shared(manifest);
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    const chosen = [0, Math.floor(lines.length / 2), lines.length - 1].map((i) => lines[i]!);
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
    message: /neither WAV nor FLAC.*ffmpeg/,
  });
  await t.rejects(readRecording(new Uint8Array(0)), { message: /empty/ });
  const wav = writeWav(Float32Array.from([0.5]), { sampleRate: 8000 });
  t.equal((await readRecording(wav)).samples[0], 0.5);
});
