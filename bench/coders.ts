/**
 * npm run bench:coders -- [manifest] [--model FILE]: recordings through coders that are made for ears, then the unsplit network,
 * beside acom's own streams of the same recordings: bits a second against words wrong, or labels right. Each coder that is not
 * installed is named and left out (Debian: apt-get install opus-tools codec2).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readRecording, resample } from '../src/audio/index.js';
import { readManifest } from '../src/cli/manifest.js';
import {
  openSubject,
  type RatePoint,
  runRecording,
  type Score,
  scorePairs,
  summarize,
} from '../src/evaluation/index.js';
import { repository } from '../test/support/shared.js';
import { AUDIO_CODERS, removeCoderFiles } from './audio-coders.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string', default: join(repository, 'weights/commands.safetensors') } },
});
const manifest = positionals[0] ?? join(repository, 'weights/samples/manifest.jsonl');
const subject = await openSubject(values.model);
const isRecogniser = subject.config.task === 'recognition';
const entries = await readManifest(manifest, isRecogniser ? 'transcript' : 'label');

const row = (name: string, bits: number, { count, total, rate, interval: [low, high] }: Score): string => {
  const measured = isRecogniser ? `${count} of ${total} words wrong` : `${count} of ${total} right`;
  const percent = [rate, low, high].map((part) => (100 * part).toFixed(1));
  return `${name.padEnd(26)} ${bits.toFixed(0).padStart(6)} bit/s   ${measured}, ${percent[0]} % (${percent[1]} to ${percent[2]})`;
};

const recordings = await Promise.all(
  entries.map(async ({ file, said }) => ({
    said,
    ...(await readRecording(new Uint8Array(readFileSync(file)))),
  })),
);
const seconds = recordings.reduce((sum, { samples, sampleRate }) => sum + samples.length / sampleRate, 0);
console.log(`${entries.length} recordings, ${seconds.toFixed(1)} s: ${manifest}`);

try {
  for (const coder of AUDIO_CODERS) {
    const { name, rate } = coder;
    try {
      let bytes = 0;
      const pairs = recordings.map(({ said, samples, sampleRate }) => {
        const coded = coder.through(resample(samples, sampleRate, rate));
        bytes += coded.bytes;
        const pieces = subject.uncut(rate);
        pieces.push(coded.samples);
        return { said, heard: pieces.finish() };
      });
      console.log(row(name, (8 * bytes) / seconds, scorePairs(pairs, subject.config.task)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      console.log(`${name.padEnd(26)} left out: ${(error as NodeJS.ErrnoException).path} is not installed`);
    }
  }
} finally {
  removeCoderFiles();
}

const outcomes = recordings.map(({ said, samples, sampleRate }, n) =>
  runRecording(
    subject,
    { path: String(n), said, beam: 0 },
    { sampleRate, seconds: samples.length / sampleRate, blocks: () => [samples] },
  ),
);
const evaluation = summarize(outcomes, subject);
const codebooks = (point: RatePoint): string => `acom, ${point.k} codebook${point.k === 1 ? '' : 's'}`;
for (const point of evaluation.points) console.log(row(codebooks(point), point.codedBitRate, point));
console.log(row('16-bit samples, unsplit', 16 * subject.config.frontEnd.sampleRate, evaluation.continuous));
