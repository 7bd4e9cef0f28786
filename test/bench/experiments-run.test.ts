/** The experiments from a trained network to results, on tones: every kind of trial once, and what is ended goes on. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lossChoices } from '../../bench/experiments/choices.js';
import { criterion } from '../../bench/experiments/criterion.js';
import { type DepthRow, depth } from '../../bench/experiments/depth.js';
import { readResults, type Trial } from '../../bench/experiments/results.js';
import { readSearch, search } from '../../bench/experiments/search.js';
import { sweep } from '../../bench/experiments/sweep.js';
import { TASKS, type Task, testedParts, trainedOf } from '../../bench/experiments/tasks.js';
import type { TrialSettings } from '../../bench/experiments/trial.js';
import { keywordsRecipe } from '../../src/training/recipes/keywords/recipe.js';
import { KEYWORDS } from '../../src/training/recipes/keywords/workload.js';
import type { RecipeOptions } from '../../src/training/recipes/recipe.js';
import { writeTones } from '../support/recipe-data.js';

t.test('from a network to results', async (t) => {
  const folder = t.testdir();
  // Eight are trained on, two validate, two test.
  const speakers = [0, 1, 2, 3, 5, 6, 7, 8, 4, 9, 15, 17];
  const spoken = KEYWORDS.flatMap((label) => speakers.map((n) => ({ label, speaker: `sc-${n}` })));
  writeTones(folder, 'kws-sc-16k', [...spoken, ...Array(4).fill({ label: '_silence_' })], {
    seconds: 1,
    sampleRate: 16000,
  });
  writeTones(folder, 'synthetic-voices', [{ label: 'yes', speaker: 'espeak-ng-m1' }], {
    seconds: 0.5,
    sampleRate: 8000,
  });
  const runs = join(folder, 'runs');
  const out = join(folder, 'results');
  const options: RecipeOptions = {
    data: folder,
    out: join(runs, 'keywords'),
    seed: 1,
    workers: 0,
    resume: true,
    steps: 2,
    signal: new AbortController().signal,
    report: () => undefined,
  };
  const task: Task = { ...TASKS.keywords, trial: { rate: 6e-4, epochs: 1 } };
  const parts = await testedParts(task, options);
  await t.rejects(trainedOf(runs, task, parts[0]!, 'continuous'), /npm run train:keywords/);
  await keywordsRecipe.run(options);

  const settings: TrialSettings = { task, runs, options };
  const lines: string[] = [];
  const say = (line: string): void => void lines.push(line);
  const command = 'test';
  const all = lossChoices(task, parts[0]!.phases.coding).map((choice) => ({
    ...choice,
    codebooks: 2,
    codewords: 16,
  }));
  const choices = all.filter(({ losses, beta }) => losses !== 'both' || beta === 0.25);
  t.same(
    choices.map(({ losses }) => losses),
    ['k-means', 'task', 'both'],
  );
  const losses = { name: 'losses', out, command, say };
  t.ok(await sweep(parts, { ...losses, choices: choices.slice(0, 1) }, settings));
  const first = readFileSync(join(out, 'losses-keywords.json'), 'utf8')
    .split('\n')
    .find((line) => line.includes('"choice"'));
  t.ok(await sweep(parts, { ...losses, choices }, settings));
  t.equal(lines.length, 3, 'what was measured is not measured again');
  const results = readResults<Trial>(out, 'losses', 'keywords')!;
  t.match(results, { seed: 1, experiment: 'losses', task: 'keywords', command });
  t.equal(JSON.stringify(results.rows[0]), first?.trim().replace(/,$/, ''), 'and stays as it was');
  for (const { sets, losses: loss } of results.rows) {
    t.same(Object.keys(sets), ['validation', 'test-words', 'test-all']);
    t.equal(sets['validation']!.recordings, 20);
    t.equal(loss.length, 3);
    t.ok(loss.every(Number.isFinite));
    const { points, recordings } = sets['test-words']!;
    t.equal(recordings, 20);
    t.same(
      points.map(({ k, total }) => [k, total]),
      [
        [1, recordings],
        [2, recordings],
      ],
    );
    // 25 steps, eight to a vector: 4 vectors of 4 bits for each codebook.
    t.same(
      points.map(({ raw }) => raw),
      [16, 32],
    );
  }

  const untrained = [1, 3].map((splitLayer) => ({ ...choices[0]!, splitLayer, pooling: 1 }));
  t.ok(await criterion(parts, { choices: untrained, out, command, say }, settings));
  t.match(
    lines.at(-1),
    /^4 choices of cut, codewords and codebooks with every step a vector; rank correlation/,
  );
  t.ok(await depth(parts, { out, command, say }, settings));
  const rows = readResults<DepthRow>(out, 'depth', 'keywords')!.rows;
  t.same(
    rows.map(({ splitLayer }) => splitLayer),
    [0, 1, 2, 3],
  );
  for (const row of rows) {
    t.ok(row.effectiveRank >= 1 && row.effectiveRank <= row.width, `${row.effectiveRank}`);
    t.ok(row.whiteAtLogits[0]! < row.whiteAtLogits[2]!, 'larger errors go further');
    t.ok(row.information <= row.labelBits + 0.5);
  }

  t.ok(await search(parts, { out, command, say, trials: 1 }, settings));
  const found = readSearch(out, task)!.rows;
  t.equal(found.length, 1);
  t.match(found[0], { choice: { losses: 'both', epochs: 1 }, sets: { validation: { recordings: 20 } } });
  t.same(Object.keys(found[0]!.sets), ['validation'], 'nothing is chosen by test recordings');
  const stopped = { ...settings, options: { ...options, signal: AbortSignal.abort() } };
  t.notOk(await depth(parts, { out, command, say }, stopped));
});
