/** The recipe of the sound classifier from recordings to scores, on tones; and what its model says. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadCodecModel } from '../../../src/codec/index.js';
import { readDataset } from '../../../src/training/data/index.js';
import { esc10Recipe } from '../../../src/training/recipes/esc10/recipe.js';
import { foldsOf, LABELS, loadEsc10 } from '../../../src/training/recipes/esc10/workload.js';
import type { RecipeOptions } from '../../../src/training/recipes/index.js';
import { writeTones } from '../../support/recipe-data.js';

const FOLDS = [1, 2];

t.test('from recordings to a model and its scores', async (t) => {
  const folder = t.testdir();
  const clips = LABELS.flatMap((label) => FOLDS.flatMap((fold) => [1, 2].map(() => ({ label, fold }))));
  writeTones(folder, 'esc10-16k', clips, { seconds: 5, sampleRate: 16000 });
  t.equal((await readDataset(join(folder, 'esc10-16k'))).clips.length, clips.length);
  const loaded = await loadEsc10(folder);
  const { held, others } = foldsOf(loaded, [2]);
  t.same([held.length, others.length], [20, 20]);
  t.same(
    [...new Set(held.map(({ path }) => path))].filter((path) => others.some((each) => each.path === path)),
    [],
  );

  writeFileSync(join(folder, 'esc10-16k', '0.wav'), 'no sound');
  const notes: string[] = [];
  const out = join(folder, 'run');
  const options: RecipeOptions = {
    data: folder,
    out,
    seed: 1,
    workers: 0,
    resume: false,
    steps: 1,
    signal: new AbortController().signal,
    report: (progress) => {
      if (progress.kind === 'note') notes.push(progress.text);
    },
  };
  const { aborted, lines } = await esc10Recipe.run(options);
  t.notOk(aborted);
  t.match(notes.shift(), /^skipped 0\.wav: .*0\.wav: .*WAV/, 'by its path');
  t.same(notes, [
    '39 recordings in folds 1, 2, 1 skipped',
    'fold 1 held out',
    'fold 2 held out',
    'all folds',
  ]);
  t.match(
    lines.join('\n'),
    /all 2 folds held out in turn: 39 recordings, accuracy\n {2}continuous {2}\d+ of 39/,
  );

  const file = join(out, 'esc10.safetensors');
  t.ok(existsSync(file));
  const model = await loadCodecModel(readFileSync(file));
  const encoder = await model.deviceEncoder();
  const classifier = await model.cloudClassifier();
  const samples = held[0]!.samples();
  const bytes = encoder.encode(samples, 16000);
  t.ok(LABELS.includes(classifier.classify(bytes).label ?? ''));
  t.ok((8 * bytes.length) / 5 < 130, `${(8 * bytes.length) / 5} bit/s`);

  const again = await esc10Recipe.run({ ...options, resume: true });
  t.same(again.lines, lines, 'what was trained is not trained again, and scores are the same');
  await t.rejects(esc10Recipe.run({ ...options, data: join(folder, 'run') }), { code: 'ACOM_USAGE' });
});
