/**
 * npm run bench:opus -- [manifest]: the same recordings through Opus and the unsplit recogniser, beside acom. What
 * Opus sends is for ears, so it needs a hundred times the bits that the recogniser needs. Wants opusenc and
 * opusdec (Debian: apt-get install opus-tools).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readRecording, readWav, resample, writeWav } from '../src/audio/index.js';
import { readManifest } from '../src/cli/manifest.js';
import { loadCodecModel } from '../src/codec/index.js';
import { type Tally, wordErrorRate, wordErrors, wordsOf } from '../src/tasks/index.js';
import { repository } from '../test/support/shared.js';

const KILOBITS = [6, 8, 12, 24];

const manifest = process.argv[2] ?? join(repository, 'weights/samples/manifest.jsonl');
const entries = await readManifest(manifest, 'transcript');
const model = await loadCodecModel(join(repository, 'weights/commands.safetensors'));
const [encoder, decoder, uncut] = [
  await model.deviceEncoder(),
  await model.cloudDecoder(),
  await model.uncutRecognizer(),
];
const folder = mkdtempSync(join(tmpdir(), 'acom-opus-'));
const RATE = 16_000;

/** Samples after Opus at `kilobits`, and the bytes of the file between. */
function throughOpus(samples: Float32Array, kilobits: number): { samples: Float32Array; bytes: number } {
  const [wav, opus, back] = ['in.wav', 'x.opus', 'out.wav'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(wav, writeWav(samples, { sampleRate: RATE }));
  execFileSync('opusenc', [
    '--quiet',
    '--bitrate',
    String(kilobits),
    '--speech',
    '--padding',
    '0',
    wav,
    opus,
  ]);
  execFileSync('opusdec', ['--quiet', '--rate', String(RATE), opus, back]);
  return { samples: readWav(readFileSync(back)).samples, bytes: statSync(opus).size };
}

let seconds = 0;
const rows = new Map<string, { bytes: number; tallies: Tally[] }>();
const add = (row: string, bytes: number, said: string, heard: string) => {
  const entry = rows.get(row) ?? { bytes: 0, tallies: [] };
  entry.bytes += bytes;
  entry.tallies.push({ words: wordsOf(said).length, errors: wordErrors(wordsOf(said), wordsOf(heard)) });
  rows.set(row, entry);
};

try {
  for (const { file, said } of entries) {
    const { samples, sampleRate } = await readRecording(new Uint8Array(readFileSync(file)));
    const sound = resample(samples, sampleRate, RATE);
    seconds += sound.length / RATE;
    for (const kilobits of KILOBITS) {
      const { samples: heard, bytes } = throughOpus(sound, kilobits);
      add(`Opus, ${kilobits} kbit/s asked`, bytes, said, uncut.transcribe(heard, RATE).text);
    }
    for (let k = 1; k <= model.config.quantizer.codebooks; k++) {
      const bytes = encoder.encode(sound, RATE, { codebooks: k });
      add(`acom, ${k} codebook${k === 1 ? '' : 's'}`, bytes.length, said, decoder.decode(bytes).text);
    }
  }
} catch (error) {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  console.error(`${(error as NodeJS.ErrnoException).path}: not found; for Opus: apt-get install opus-tools`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

console.log(`${entries.length} recordings, ${seconds.toFixed(1)} s: ${manifest}`);
for (const [name, { bytes, tallies }] of rows) {
  const { words, errors, rate } = wordErrorRate(tallies);
  const bits = ((8 * bytes) / seconds).toFixed(0).padStart(6);
  console.log(
    `${name.padEnd(26)} ${bits} bit/s, container included   ${errors} of ${words} words wrong (${(100 * rate).toFixed(2)} %)`,
  );
}
