/** Synthetic voices, where espeak-ng and flite are installed; and what is said where they are not. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { UsageError } from '../../../src/tensor/index.js';
import {
  COMMAND_WORDS,
  HELD_OUT_VOICES,
  loadClips,
  loadSamples,
  synthesizeVoices,
} from '../../../src/training/data/index.js';

function isThere(program: string, ...given: string[]): boolean {
  try {
    execFileSync(program, given, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const skip =
  isThere('espeak-ng', '--version') && isThere('flite', '-lv')
    ? false
    : 'espeak-ng or flite is not installed';
const WORDS = ['zero', 'stop'];

t.test('words by some voices', { skip }, async (t) => {
  const cache = t.testdir({});
  const settings = { cache, words: WORDS, mostVoices: 7, takes: 2, sampleRate: 8000 };
  let made = 0;
  const dataset = await synthesizeVoices({ ...settings, onProgress: () => made++ });
  t.equal(made, 28);
  t.equal(dataset.clips.length, 28);
  t.same(dataset.problems, []);
  t.equal(new Set(dataset.clips.map(({ speaker }) => speaker)).size, 7);
  t.same([...new Set(dataset.clips.map(({ words }) => words.join()))], WORDS);
  // Each is compared with its SHA-1.
  const loaded = await loadClips([dataset], { sampleRate: 8000, cache: null });
  t.same(loaded.problems, []);
  for (const [i, clip] of loaded.clips.entries()) {
    const samples = loaded.samples(i);
    const loudest = samples.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
    t.ok(
      loudest > 0.05 && samples.length > 1000 && samples.length < 16000,
      `${clip.path}: ${samples.length}`,
    );
  }
  const takes = dataset.clips.filter(({ path }) => path.startsWith('zero/')).slice(0, 2);
  t.notSame(takes[0]!.sha1, takes[1]!.sha1, 'takes differ');

  const again = await synthesizeVoices({ ...settings, onProgress: () => t.fail('made again') });
  t.same(again, dataset);
  const elsewhere = await synthesizeVoices({ ...settings, cache: join(cache, 'other') });
  t.same(
    elsewhere.clips.map(({ sha1 }) => sha1),
    dataset.clips.map(({ sha1 }) => sha1),
    'the same samples from the same seed',
  );
  const other = await synthesizeVoices({ ...settings, words: ['zero'], mostVoices: 3, seed: 2 });
  t.notOk(
    other.clips.some(({ sha1 }) => dataset.clips.some((clip) => clip.sha1 === sha1)),
    'another seed',
  );
  t.equal(readdirSync(cache).filter((name) => name.startsWith('.')).length, 0);
  t.ok(statSync(join(dataset.folder, 'manifest.jsonl')).size > 0);
});

t.test('voices of the test set are not among them, nor robots', { skip }, async (t) => {
  const { clips, folder } = await synthesizeVoices({
    cache: t.testdir({}),
    words: ['go'],
    takes: 1,
    sampleRate: 8000,
  });
  const speakers = clips.map(({ speaker }) => speaker!);
  t.ok(speakers.length > 50, `${speakers.length} voices`);
  for (const name of HELD_OUT_VOICES) t.notOk(speakers.includes(`espeak-ng:${name}`), name);
  t.notOk(speakers.some((name) => /robo|whisper|klatt/i.test(name)));
  t.ok(speakers.some((name) => name.startsWith('flite:')) && speakers.includes('espeak-ng:f2'));
  t.match(readFileSync(join(folder, 'manifest.jsonl'), 'utf8'), /"how":"en-/);
  t.ok((await loadSamples(clips[0]!)).length > 500);
});

t.test('programs that are missing, and options that make no sense', async (t) => {
  const cache = t.testdir({});
  const { PATH } = process.env;
  process.env['PATH'] = '/nowhere';
  try {
    await t.rejects(synthesizeVoices({ cache, engines: ['espeak-ng'] }), {
      name: 'MissingProgramError',
      code: 'ACOM_MISSING_PROGRAM',
      message: /espeak-ng: apt-get install espeak-ng/,
    });
    await t.rejects(synthesizeVoices({ cache, engines: ['flite'] }), { message: /apt-get install flite/ });
  } finally {
    process.env['PATH'] = PATH;
  }
  await t.rejects(synthesizeVoices({ cache, takes: 0 }), UsageError);
  await t.rejects(synthesizeVoices({ cache, words: ['--help'] }), UsageError);
  t.equal(COMMAND_WORDS.length, 20);
});
