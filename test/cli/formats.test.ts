/** Recordings of every format from file to words. */
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { acom, piped, sample } from '../support/cli.js';
import { repository } from '../support/shared.js';

const fixture = (name: string): string => join(repository, 'test/fixtures/audio', name);

t.test('MP3, Vorbis and Opus give the words that WAV gives', async (t) => {
  const folder = t.testdir();
  copyFileSync(sample('digits'), join(folder, 'plain.wav'));
  const names = ['digits.mp3', 'digits.ogg', 'digits.opus'];
  // What a file is shows in its bytes, not in its name.
  const copies = ['mp3.ogg', 'ogg.opus', 'opus.mp3'];
  copies.forEach((copy, i) => {
    copyFileSync(fixture(names[i]!), join(folder, copy));
  });
  const encoded = await acom(folder, 'encode', '.');
  t.match(encoded, { code: 0 });
  t.equal(encoded.stdout.trim().split('\n').length, 4, 'all are found in the folder');
  const streams = ['plain.acom', ...copies.map((copy) => copy.replace(/\.\w+$/, '.acom'))];
  const { stdout } = await acom(folder, 'decode', ...streams);
  t.equal(stdout.match(/acom: seven three one nine five$/gm)?.length, 4, stdout);
});

t.test('info of compressed recordings', async (t) => {
  const folder = t.testdir();
  for (const [name, facts] of Object.entries({
    'digits.mp3': { sampleRate: 8000, channels: 1, samples: 43_363, missingSamples: 0 },
    'tones-44k.ogg': { sampleRate: 44_100, channels: 2, samples: 22_051 },
    'tones-48k-6.opus': { sampleRate: 48_000, channels: 6, samples: 9601 },
    'tones-44k.oga': { sampleRate: 44_100, channels: 2, samples: 22_051 },
  })) {
    const { stdout } = await acom(folder, 'info', fixture(name), '--json');
    t.match(JSON.parse(stdout), { type: 'recording', ...facts }, name);
  }
  const cut = readFileSync(fixture('digits.mp3')).subarray(0, 12_000);
  const encoded = await piped(cut, 'encode', '-', '-o', join(folder, 'cut.acom'));
  t.match(encoded, { code: 0, stderr: /the file is cut short: \d+ samples that it promises are missing/ });
});
