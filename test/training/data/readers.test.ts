/** Readers against small folders in each layout, with files that are missing, cut short and no sound at all. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { writeWav } from '../../../src/audio/index.js';
import { FormatError, SourceError } from '../../../src/tensor/index.js';
import {
  type Clip,
  type Dataset,
  loadClips,
  loadSamples,
  readDataset,
  readEsc50,
  readSpeechCommands,
} from '../../../src/training/data/index.js';
import { constantFlac } from '../../support/flac.js';
import { shared, skipWithout } from '../../support/shared.js';

/** Samples that 16 bits hold exactly. */
const ramp = (length: number, step: number): Float32Array =>
  Float32Array.from({ length }, (_, n) => (((n * step) % 2000) - 1000) / 32768);

const wav = (length: number, sampleRate: number, step = 7): Uint8Array =>
  writeWav(ramp(length, step), { sampleRate });

const flac = (value: number): Uint8Array =>
  constantFlac({ sampleRate: 8000, channels: 1, promised: 400, blockSamples: 400, blocks: [[value]] });

const sha1Of = (pcm: Int16Array): string =>
  createHash('sha1').update(new Uint8Array(pcm.buffer)).digest('hex');

function write(folder: string, files: Readonly<Record<string, Uint8Array | string>>): void {
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
}

const pathsOf = (of: readonly { readonly path: string }[]): string[] => of.map(({ path }) => path);
const jsonLines = (lines: readonly object[]): string => lines.map((line) => JSON.stringify(line)).join('\n');

/** A folder of five good clips and five bad ones. */
function manifestFolder(folder: string): void {
  const entry = (path: string, more: object) => ({ path, sample_rate: 8000, samples: 400, ...more });
  write(folder, {
    'a/one.flac': flac(100),
    'a/two.flac': flac(200),
    'a/three.wav': wav(400, 8000),
    'a/sound.wav': wav(400, 16000),
    'a/said.wav': wav(400, 8000),
    'bad/cut.flac': flac(7).subarray(0, 50),
    'bad/text.wav': 'this is no sound',
    'bad/other.flac': flac(300),
    'bad/longer.wav': wav(401, 8000),
    'manifest.jsonl': jsonLines([
      entry('a/one.flac', { label: '1', transcript: 'one', speaker: 's1', split: 'test' }),
      entry('a/two.flac', {
        label: '2',
        word: 'two',
        speaker: 's2',
        pcm_sha1: sha1Of(new Int16Array(400).fill(200)),
      }),
      entry('a/three.wav', { label: '_unknown_', word: 'three', transcript: 'three', speaker: 's1' }),
      entry('a/sound.wav', { label: 'rain', fold: 3, sample_rate: 16000, speaker: null }),
      { path: 'a/said.wav', sample_rate: 8000, duration_s: 0.05, transcript: 'THIS  WAS SAID' },
      entry('bad/missing.flac', { label: '4', transcript: 'four' }),
      entry('bad/cut.flac', { label: '5', transcript: 'five' }),
      entry('bad/text.wav', { label: '6', transcript: 'six' }),
      entry('bad/other.flac', { label: '7', transcript: 'seven', pcm_sha1: 'not this one' }),
      entry('bad/longer.wav', { label: '8', transcript: 'eight' }),
    ]),
  });
}

t.test('manifests', async (t) => {
  const folder = t.testdir();
  manifestFolder(folder);
  const { clips, problems } = await readDataset(folder);
  t.same(pathsOf(problems), ['bad/missing.flac']);
  t.ok(problems[0]!.error instanceof SourceError && problems[0]!.error.isMissing);
  t.match(problems[0]!.error.message, join(folder, 'bad', 'missing.flac'));
  t.same(clips[0], {
    path: 'a/one.flac',
    file: join(folder, 'a/one.flac'),
    words: ['one'],
    label: 'one',
    speaker: 's1',
    split: 'test',
    sampleRate: 8000,
    samples: 400,
  });
  t.match(clips[1], { words: ['two'], label: 'two', sha1: /^[0-9a-f]{40}$/ });
  t.match(clips[2], { words: ['three'], label: '_unknown_' });
  t.match(clips[3], { words: [], label: 'rain', fold: 3, speaker: null, sampleRate: 16000 });
  t.match(clips[4], { words: ['THIS', 'WAS', 'SAID'], label: '', samples: 400 });
});

t.test('manifests that make no sense', async (t) => {
  const good = { path: 'a.wav', sample_rate: 8000, samples: 1 };
  for (const [line, message] of [
    ['{', /line 1 is no JSON/],
    [{ ...good, path: undefined }, /entry 1: there is no "path"/],
    [{ ...good, path: '../a.wav' }, /leads out of the folder/],
    [{ ...good, sample_rate: undefined }, /no "sample_rate"/],
    [{ ...good, sample_rate: 0.5 }, /"sample_rate" is 0.5/],
    [{ ...good, samples: undefined }, /neither "samples" nor "duration_s"/],
    [{ ...good, speaker: 3 }, /"speaker" is no text/],
    [{ ...good, fold: -1 }, /"fold" is -1/],
  ] as const) {
    const folder = t.testdir({
      'manifest.jsonl': typeof line === 'string' ? line : JSON.stringify(line),
    });
    await t.rejects(readDataset(folder), { name: 'FormatError', message });
  }
  await t.rejects(readDataset(t.testdir({ nothing: '' })), { name: 'SourceError', message: /no dataset/ });
  await t.rejects(readDataset('/no/such/folder'), { message: /no such folder/, isMissing: true });
});

t.test('samples of a clip, at its own rate and another', async (t) => {
  const folder = t.testdir();
  manifestFolder(folder);
  const { clips } = await readDataset(folder);
  const clip = (path: string): Clip => clips.find((each) => each.path === path)!;
  t.ok((await loadSamples(clip('a/two.flac'))).every((x) => x === 200 / 32768));
  t.same([...(await loadSamples(clip('a/three.wav')))], [...ramp(400, 7)]);
  t.equal((await loadSamples(clip('a/sound.wav'), 8000)).length, 200);
  for (const [path, message] of [
    ['bad/cut.flac', /bad\/cut\.flac: /],
    ['bad/text.wav', /bad\/text\.wav: audio: this is no WAV, FLAC/],
    ['bad/other.flac', /bad\/other\.flac: .*SHA-1 differs/],
    ['bad/longer.wav', /bad\/longer\.wav: it has 401 samples, the dataset says 400/],
  ] as const) {
    await t.rejects(loadSamples(clip(path)), { name: 'FormatError', message });
  }
  const wrong = { ...clip('a/three.wav'), sampleRate: 16000 };
  await t.rejects(loadSamples(wrong), { message: /8000 samples a second, the dataset says 16000/ });
  const gone = { ...clip('a/three.wav'), file: join(folder, 'gone.wav') };
  await t.rejects(loadSamples(gone), { name: 'SourceError', isMissing: true });
});

t.test('all samples of datasets; damaged clips are left out and listed', async (t) => {
  const folder = t.testdir();
  manifestFolder(folder);
  const dataset = await readDataset(folder);
  const seen: number[] = [];
  const loaded = await loadClips([dataset], {
    sampleRate: 8000,
    cache: null,
    onProgress: (done) => seen.push(done),
  });
  t.same(pathsOf(loaded.clips), ['a/one.flac', 'a/two.flac', 'a/three.wav', 'a/sound.wav', 'a/said.wav']);
  t.same(pathsOf(loaded.problems), [
    'bad/missing.flac',
    'bad/cut.flac',
    'bad/text.wav',
    'bad/other.flac',
    'bad/longer.wav',
  ]);
  t.same(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  t.same([...loaded.samples(2)], [...ramp(400, 7)]);
  t.same([...loaded.samples(3)].length, 200);
  t.equal(loaded.seconds, 0.225);
  t.equal(loaded.cacheError, undefined);
  const stopped = loadClips([dataset], { sampleRate: 8000, cache: null, signal: AbortSignal.abort() });
  await t.rejects(stopped, { name: 'AbortError' });
});

t.test('decoded samples are kept, until anything changes', async (t) => {
  const [folder, cache] = [t.testdir({ data: {}, cache: {} })].flatMap((root) => [
    join(root, 'data'),
    join(root, 'cache'),
  ]) as [string, string];
  manifestFolder(folder);
  /** Loads all, and says how many clips were decoded. */
  const load = async (sampleRate = 8000) => {
    let decoded = 0;
    const loaded = await loadClips([await readDataset(folder)], {
      sampleRate,
      cache,
      onProgress: () => decoded++,
    });
    return { loaded, decoded };
  };
  const first = await load();
  const second = await load();
  t.same([first.decoded, second.decoded], [9, 0]);
  t.same(pathsOf(second.loaded.clips), pathsOf(first.loaded.clips));
  t.same(
    second.loaded.problems.map(({ error }) => [error.name, error.message]),
    first.loaded.problems.map(({ error }) => [error.name, error.message]),
  );
  for (const i of first.loaded.clips.keys())
    t.same([...second.loaded.samples(i)], [...first.loaded.samples(i)]);
  t.equal((await load(16000)).decoded, 9, 'another rate');

  const [file] = readdirSync(cache).filter((name) => name.startsWith('clips-8000'));
  const bytes = readFileSync(join(cache, file!));
  bytes[bytes.length - 9]! ^= 1;
  writeFileSync(join(cache, file!), bytes);
  t.equal((await load()).decoded, 9, 'a damaged cache is made anew');
  t.equal((await load()).decoded, 0);
  writeFileSync(join(cache, file!), bytes.subarray(0, 40));
  t.equal((await load()).decoded, 9, 'one that is cut short too');

  write(folder, { 'bad/text.wav': wav(400, 8000) });
  const repaired = await load();
  t.same([repaired.decoded, repaired.loaded.clips.length], [9, 6], 'a repaired clip is found');
  const { size, mtimeMs } = statSync(join(folder, 'a/three.wav'));
  write(folder, { 'a/three.wav': wav(400, 8000, 11) });
  utimesSync(join(folder, 'a/three.wav'), 1, mtimeMs / 1000 + 5);
  t.equal(statSync(join(folder, 'a/three.wav')).size, size);
  t.same([...(await load()).loaded.samples(2)], [...ramp(400, 11)], 'so is one of the same size');
  t.ok(
    readdirSync(cache).every((name) => name.endsWith('.safetensors')),
    'nothing unfinished is left',
  );

  rmSync(cache, { recursive: true });
  writeFileSync(cache, 'a file where the folder should be');
  const { loaded } = await load();
  t.match(loaded.cacheError, { name: 'SourceError', message: /cannot be written/ });
  t.equal(loaded.clips.length, 6, 'all is there nevertheless');
});

t.test('several that load the same clips at once decode them once', async (t) => {
  const root = t.testdir({ data: {}, cache: {} });
  const [folder, cache] = [join(root, 'data'), join(root, 'cache')];
  manifestFolder(folder);
  const dataset = await readDataset(folder);
  let decoded = 0;
  const load = () => loadClips([dataset], { sampleRate: 8000, cache, onProgress: () => decoded++ });
  const loaded = await Promise.all([load(), load(), load()]);
  t.equal(decoded, 9);
  for (const each of loaded) t.same(pathsOf(each.clips), pathsOf(loaded[0]!.clips));
  t.same(readdirSync(cache).length, 1, 'the lock is gone');

  const [file] = readdirSync(cache);
  rmSync(join(cache, file!));
  const lock = join(cache, `${file}.lock`);
  writeFileSync(lock, 'of a process that has died');
  utimesSync(lock, 1, 1);
  await load();
  t.same(readdirSync(cache), [file], 'a lock that nobody renews holds nobody up');

  rmSync(join(cache, file!));
  writeFileSync(lock, 'of a process that is busy');
  const waiting = loadClips([dataset], { sampleRate: 8000, cache, signal: AbortSignal.timeout(300) });
  await t.rejects(waiting, { name: 'TimeoutError' });
});

t.test('Free Spoken Digit Dataset as published', async (t) => {
  const folder = t.testdir();
  write(folder, {
    'recordings/3_theo_4.wav': wav(100, 8000),
    'recordings/3_theo_5.wav': wav(120, 8000),
    'recordings/0_jackson_12.wav': wav(90, 8000),
    'recordings/9_lucas_1.wav': wav(90, 8000).subarray(0, 100),
    'recordings/notes.txt': 'no recording',
  });
  const { clips, problems } = await readDataset(folder);
  t.same(pathsOf(clips), [
    'recordings/0_jackson_12.wav',
    'recordings/3_theo_4.wav',
    'recordings/3_theo_5.wav',
  ]);
  t.match(clips[1], { words: ['three'], label: 'three', speaker: 'theo', split: 'test', samples: 100 });
  t.match(clips[2], { split: 'train', sampleRate: 8000 });
  t.same(pathsOf(problems), ['recordings/9_lucas_1.wav']);
  t.match(problems[0]!.error, { name: 'FormatError', message: /9_lucas_1.wav: .*missing/ });
  await t.rejects(readDataset(t.testdir({ recordings: { a: '' } })), { name: 'SourceError' });
});

t.test('Speech Commands as published', async (t) => {
  const folder = t.testdir();
  write(folder, {
    'yes/0a7c2a8d_nohash_0.wav': wav(50, 16000),
    'yes/0a7c2a8d_nohash_1.wav': wav(50, 16000),
    'bed/1b4c9b89_nohash_0.wav': wav(50, 16000),
    'bed/readme.wav': wav(50, 16000),
    'no/ffffffff_nohash_0.wav': new Uint8Array(0),
    '_background_noise_/pink_noise.wav': wav(500, 16000),
    '_background_noise_/README.md': 'about noise',
    'validation_list.txt': 'bed/1b4c9b89_nohash_0.wav\n',
    'testing_list.txt': 'yes/0a7c2a8d_nohash_1.wav\r\n',
    LICENSE: 'a licence',
  });
  const summary = ({ clips }: Dataset) =>
    clips.map(({ path, words, label, speaker, split }) => [path, words[0], label, speaker, split]);
  const dataset = await readDataset(folder);
  t.same(summary(dataset), [
    ['_background_noise_/pink_noise.wav', undefined, '_background_noise_', null, undefined],
    ['bed/1b4c9b89_nohash_0.wav', 'bed', 'bed', 'sc-1b4c9b89', 'validation'],
    ['yes/0a7c2a8d_nohash_0.wav', 'yes', 'yes', 'sc-0a7c2a8d', 'train'],
    ['yes/0a7c2a8d_nohash_1.wav', 'yes', 'yes', 'sc-0a7c2a8d', 'test'],
  ]);
  t.same(pathsOf(dataset.problems), ['no/ffffffff_nohash_0.wav']);
  t.equal(readSpeechCommands(folder, ['yes']).clips[1]!.label, '_unknown_');
  rmSync(join(folder, 'validation_list.txt'));
  await t.rejects(readDataset(folder), { name: 'SourceError', message: /validation_list.txt/ });
});

t.test('ESC-50 and ESC-10 as published', async (t) => {
  const folder = t.testdir();
  const header = 'filename,fold,target,category,esc10,src_file,take';
  write(folder, {
    'audio/1-100032-A-0.wav': wav(60, 44100),
    'audio/2-100038-A-14.wav': wav(60, 44100),
    'meta/esc50.csv': `${header}\n1-100032-A-0.wav,1,0,dog,True,100032,A\n2-100038-A-14.wav,2,14,chirping_birds,False,100038,A\n5-1-A-1.wav,5,1,rooster,True,1,A\n`,
  });
  const all = await readDataset(folder);
  t.same(
    all.clips.map(({ label, fold, words }) => [label, fold, words.length]),
    [
      ['dog', 1, 0],
      ['chirping_birds', 2, 0],
    ],
  );
  t.same(pathsOf(all.problems), ['audio/5-1-A-1.wav']);
  t.same(
    readEsc50(folder, 10).clips.map(({ label }) => label),
    ['dog'],
  );
  write(folder, { 'meta/esc50.csv': `${header}\n../../x.wav,1,0,dog,True,1,A` });
  await t.rejects(readDataset(folder), { name: 'FormatError', message: /line 2 makes no sense/ });
  write(folder, { 'meta/esc50.csv': 'filename,target\n' });
  t.throws(() => readEsc50(folder), FormatError);
});

for (const [name, clips, speakers, labels] of [
  ['fsdd-8k', 3000, 6, 10],
  ['digits-sc-16k', 187, 76, 10],
  ['kws-sc-16k', 2795, 220, 12],
  ['esc10-16k', 320, 0, 10],
  ['librispeech-16k', 60, 60, 1],
] as const) {
  t.test(`recordings of ${name}`, { skip: skipWithout(`data/${name}/manifest.jsonl`) }, async (t) => {
    const dataset = await readDataset(shared(`data/${name}`));
    t.equal(dataset.clips.length, clips);
    t.same(dataset.problems, []);
    t.equal(new Set(dataset.clips.flatMap(({ speaker }) => speaker ?? [])).size, speakers);
    t.equal(new Set(dataset.clips.map(({ label }) => label)).size, labels);
    const some = dataset.clips.filter((_, i) => i % Math.ceil(clips / 8) === 0);
    // Each is compared with its SHA-1.
    const loaded = await loadClips([{ clips: some, problems: [] }], { sampleRate: 8000, cache: null });
    t.same([loaded.clips.length, loaded.problems], [some.length, []]);
  });
}
