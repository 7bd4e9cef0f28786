/** The keyword classifier's recipe: parts by speaker, words that are no keywords, and the way to a model and its scores. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadCodecModel } from '../../../src/codec/index.js';
import { keywordsRecipe } from '../../../src/training/recipes/keywords/recipe.js';
import { KEYWORDS, LABELS, loadKeywords } from '../../../src/training/recipes/keywords/workload.js';
import { writeTones } from '../../support/recipe-data.js';

/** Keywords of twelve speakers, words that are none under both names that datasets give them, noise, and a synthetic voice. */
function writeRecordings(folder: string): void {
  const spoken = [...KEYWORDS, '_unknown_', 'bed'].flatMap((label) =>
    Array.from({ length: 12 }, (_, n) => ({ label, speaker: `sc-${n}` })),
  );
  const second = { seconds: 1, sampleRate: 16000 };
  writeTones(folder, 'kws-sc-16k', [...spoken, ...Array(6).fill({ label: '_silence_' })], second);
  const voices = [...KEYWORDS, 'zero'].map((label) => ({ label, speaker: 'espeak-ng-m1' }));
  writeTones(folder, 'synthetic-voices', voices, { seconds: 0.5, sampleRate: 8000 });
}

t.test('training, validation and test', async (t) => {
  const folder = t.testdir();
  writeRecordings(folder);
  const material = await loadKeywords(folder, join(folder, 'synthetic-voices'));
  const { training, validation, test, problems } = material;
  t.same(problems, []);
  t.equal([training, validation, test].flat().length, 12 * 12 + 6 + 11, 'every recording is in one part');
  t.equal(training.filter(({ isSynthetic }) => isSynthetic).length, 11, 'only training hears voices');
  const unknown = [training, validation, test].flat().filter(({ label }) => LABELS[label] === '_unknown_');
  t.equal(unknown.length, 12 + 12 + 1, 'other words, under any name');
  // Twelve speakers said twelve words each, so a part that holds whole speakers has twelve clips of each.
  for (const part of [validation, test]) {
    const words = part.filter(({ label }) => LABELS[label] !== '_silence_').length;
    t.equal(words % 12, 0, 'speakers are not divided');
  }
  t.ok(test.length > 0);
  t.ok(training.every((clip) => clip.samples().length === 16000));
  await t.rejects(loadKeywords(join(folder, 'synthetic-voices'), null), { code: 'ACOM_USAGE' });
});

t.test('from recordings to a model and its scores', async (t) => {
  const folder = t.testdir();
  writeRecordings(folder);
  const out = join(folder, 'run');
  const { aborted, lines } = await keywordsRecipe.run({
    data: folder,
    out,
    seed: 1,
    workers: 0,
    resume: false,
    steps: 2,
    signal: new AbortController().signal,
    report: () => undefined,
  });
  t.notOk(aborted);
  t.match(lines.join('\n'), /ten words, unseen speakers.*\n {2}continuous {2}\d+ of \d+/);
  t.match(readFileSync(join(out, 'test-all', 'manifest.jsonl'), 'utf8'), /"label":"_silence_"|"label":"yes"/);
  const model = await loadCodecModel(readFileSync(join(out, 'keywords.safetensors')));
  const [encoder, classifier] = [await model.deviceEncoder(), await model.cloudClassifier()];
  const samples = Float32Array.from({ length: 16000 }, (_, n) => 0.3 * Math.sin(n / 5));
  const { classes } = classifier.classify(encoder.encode(samples, 16000));
  t.same(classes.map(({ label }) => label).sort(), [...LABELS].sort());
  const total = classes.reduce((sum, { probability }) => sum + probability, 0);
  t.ok(Math.abs(total - 1) < 1e-4, 'confidences are probabilities');
});
