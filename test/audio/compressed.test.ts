/** Ogg Vorbis, Ogg Opus, Ogg FLAC and MP3 against the sounds that Debian's encoders were given. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import {
  readMp3,
  readOpus,
  readRecording,
  readVorbis,
  recordingFormat,
  resample,
} from '../../src/audio/index.js';
import { createRandom } from '../../src/tensor/index.js';
import { repository } from '../support/shared.js';
import { monoOf, SOUNDS, type SoundName } from '../support/tones.js';

const folder = join(repository, 'test/fixtures/audio');
const fixture = (name: string): Buffer => readFileSync(join(folder, name));

/** Decibels by which a sound is above what differs from it, `lag` samples later. */
function signalToNoise(sound: Float32Array, found: Float32Array, lag: number): number {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < sound.length; i++) {
    signal += sound[i]! ** 2;
    noise += (sound[i]! - (found[i + lag] ?? 0)) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

interface Expected {
  readonly sound: SoundName;
  readonly format: string;
  /** Least signal-to-noise ratio, dB: some 2 less than Debian's own decoders give. */
  readonly least: number;
  /** Samples before the sound and the total, where nothing in the file says what to leave out. */
  readonly untrimmed?: readonly [lag: number, length: number];
}

const FIXTURES: Readonly<Record<string, Expected>> = {
  'speech-8k.ogg': { sound: 'speech-8k', format: 'Ogg Vorbis', least: 19 },
  'tone-16k.ogg': { sound: 'tone-16k', format: 'Ogg Vorbis', least: 34 },
  'tones-44k.ogg': { sound: 'tones-44k', format: 'Ogg Vorbis', least: 35 },
  'tones-48k.ogg': { sound: 'tones-48k', format: 'Ogg Vorbis', least: 35 },
  'tones-48k-6.ogg': { sound: 'tones-48k-6', format: 'Ogg Vorbis', least: 7 },
  'speech-8k.opus': { sound: 'speech-8k', format: 'Ogg Opus', least: 10 },
  'tone-16k.opus': { sound: 'tone-16k', format: 'Ogg Opus', least: 37 },
  'tones-44k.opus': { sound: 'tones-44k', format: 'Ogg Opus', least: 35 },
  'tones-48k.opus': { sound: 'tones-48k', format: 'Ogg Opus', least: 35 },
  'tones-48k-6.opus': { sound: 'tones-48k-6', format: 'Ogg Opus', least: 7 },
  'tones-44k.oga': { sound: 'tones-44k', format: 'Ogg FLAC', least: 85 },
  'speech-8k.mp3': { sound: 'speech-8k', format: 'MP3', least: 20 },
  'tone-16k.mp3': { sound: 'tone-16k', format: 'MP3', least: 60 },
  'tone-16k-ffmpeg.mp3': { sound: 'tone-16k', format: 'MP3', least: 23 },
  'tones-44k.mp3': { sound: 'tones-44k', format: 'MP3', least: 23 },
  'tones-48k.mp3': { sound: 'tones-48k', format: 'MP3', least: 36 },
  // Without a tag, the delay of encoder (576) and decoder (529) and whole frames stay; layer II has 481 of delay.
  'tones-48k-untagged.mp3': {
    sound: 'tones-48k',
    format: 'MP3',
    least: 23,
    untrimmed: [1105, 22 * 1152],
  },
  'tone-16k.mp2': { sound: 'tone-16k', format: 'MP3', least: 20, untrimmed: [481, 11 * 1152] },
};

for (const [name, { sound, format, least, untrimmed }] of Object.entries(FIXTURES)) {
  t.test(name, async (t) => {
    const bytes = fixture(name);
    const before = Uint8Array.from(bytes);
    t.equal(recordingFormat(bytes), format);
    const { samples, sampleRate, channels, missingSamples } = await readRecording(bytes);
    t.same(Uint8Array.from(bytes), before, 'the bytes are left as they were');
    const original = SOUNDS[sound];
    const mono = monoOf(original);
    const rate = format === 'Ogg Opus' ? 48_000 : original.sampleRate;
    t.same(
      { sampleRate, channels, missingSamples },
      { sampleRate: rate, channels: original.channels.length, missingSamples: 0 },
    );
    // opusenc rounds up where it changes the rate.
    const [lag, length] = untrimmed ?? [0, Math.ceil((mono.length * rate) / original.sampleRate)];
    t.equal(samples.length, length);
    const ratio = signalToNoise(mono, resample(samples, rate, original.sampleRate), lag);
    t.ok(ratio > least, `${ratio.toFixed(1)} dB`);
  });
}

t.test('samples are the same from every kind of buffer and of calls at the same time', async (t) => {
  const names = ['speech-8k.ogg', 'tone-16k.opus', 'tone-16k.mp3', 'tones-44k.oga'];
  const alone = [];
  for (const name of names) alone.push((await readRecording(fixture(name))).samples);
  const together = await Promise.all(
    names.map((name) => readRecording(Uint8Array.from(fixture(name)).buffer)),
  );
  t.same(
    together.map(({ samples }) => samples),
    alone,
  );
});

t.test('what is no recording is not taken for one', async (t) => {
  const random = createRandom(1);
  const taken: number[] = [];
  for (let i = 0; i < 2000; i++) {
    const bytes = Uint8Array.from({ length: 8192 }, () => Math.floor(256 * random()));
    // A header of MPEG audio alone is no file.
    if (i % 2 === 0) bytes.set([0xff, 0xfb, 0x90, 0x00]);
    if (i % 4 === 0) bytes.set([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 0, 50]);
    if (recordingFormat(bytes) !== null) taken.push(i);
  }
  t.same(taken, []);
  t.equal(recordingFormat(new Uint8Array(100_000).fill(255)), null);
  t.equal(recordingFormat(new Uint8Array(0)), null);
  t.equal(recordingFormat(fixture('tone-16k.mp3').subarray(0, 120)), null, 'only a tag');
  t.equal(recordingFormat(fixture('../../../weights/samples/digits.wav')), 'WAV');
  const theora = Uint8Array.from(fixture('tone-16k.ogg')).fill(0, 28, 40);
  await t.rejects(readRecording(theora), { name: 'FormatError', message: /none of Vorbis, Opus and FLAC/ });
  for (const read of [readVorbis, readOpus, readMp3]) {
    await t.rejects(read(new Uint8Array(50)), { name: 'FormatError' });
    await t.rejects(read(new Uint8Array(0)), { name: 'FormatError' });
  }
});

t.test('what is before and after the frames of MP3', async (t) => {
  const plain = fixture('tones-48k-untagged.mp3');
  const { samples } = await readRecording(plain);
  const picture = new Uint8Array(70_010);
  // 70,000 bytes in groups of seven bits, of them a header of a frame
  picture.set([0x49, 0x44, 0x33, 4, 0, 0, 0, 4, 0x22, 0x70]);
  picture.set([0xff, 0xfb, 0x90, 0x00], 500);
  const tag = new Uint8Array(128).fill(0x20);
  tag.set([0x54, 0x41, 0x47]);
  const around = await readRecording(Buffer.concat([picture, picture, plain, tag]));
  t.same(around.samples, samples);
  t.equal(around.missingSamples, 0);
  const rubbish = new Uint8Array(30_000).map((_, i) => (i * 31) & 255);
  t.same((await readRecording(Buffer.concat([rubbish, plain]))).samples, samples, 'a stream that was joined');
  // Frames after rubbish lack the bits that frames before them keep for them: a few are lost.
  const both = await readRecording(Buffer.concat([plain, rubbish, plain]));
  t.ok(both.samples.length > 1.9 * samples.length && both.samples.length <= 2 * samples.length);
  await t.rejects(readRecording(Buffer.concat([plain, fixture('tones-44k.mp3')])), {
    name: 'FormatError',
    message: /the rate changes from 48000 to 44100/,
  });
});

t.test('a package that is not installed is named', async (t) => {
  const hooks = `export const resolve = (name, context, next) => {
    if (/decoder/.test(name) && !/^[./]|^file:/.test(name)) throw new Error('not found: ' + name);
    return next(name, context);
  };`;
  const script = `
    import { readFileSync } from 'node:fs';
    import { register } from 'node:module';
    register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}));
    const { readRecording } = await import(${JSON.stringify(join(repository, 'dist/src/audio/index.js'))});
    for (const name of ['tone-16k.ogg', 'tone-16k.opus', 'tone-16k.mp3', 'tones-44k.oga']) {
      const error = await readRecording(readFileSync(${JSON.stringify(folder)} + '/' + name)).catch((error) => error);
      console.log(error.name + ': ' + error.message);
    }`;
  const { stdout } = await promisify(execFile)('node', ['--input-type=module', '-e', script]);
  const message = (purpose: string, name: string) =>
    `MissingPackageError: Reading ${purpose} needs the package ${name}: npm install ${name}`;
  t.same(stdout.trim().split('\n'), [
    message('Ogg Vorbis', '@wasm-audio-decoders/ogg-vorbis'),
    message('Ogg Opus', 'ogg-opus-decoder'),
    message('MP3', 'mpg123-decoder'),
    message('FLAC', '@wasm-audio-decoders/flac'),
  ]);
});
